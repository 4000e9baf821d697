//! The project's statements about itself: its public API, its dependencies, its guarantees, its breaks.

mod breaks;
mod dependencies;
mod guarantees;
mod layers;
mod msrv;
mod public_api;
