//! Invalidations by writes, in every order with what is under way, and the commands that writes send.

mod annotated_writes;
mod commands;
mod cost;
mod each;
mod kept;
mod overtaking;
mod puts;
mod tags_by_hand;
mod topics;
mod writes;
