//! What writes make invalid, in every order with what is under way, and what they send for it.

mod annotated_writes;
mod commands;
mod cost;
mod overtaking;
mod puts;
mod writes;
