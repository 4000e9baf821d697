//! The project's statements about itself: its public API, its dependencies, its guarantees, its guide, its breaks.

mod breaks;
mod dependencies;
mod guarantees;
mod guide;
mod layers;
mod msrv;
mod public_api;
