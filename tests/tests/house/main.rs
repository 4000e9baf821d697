//! The project's statements about itself: its public API, its dependencies, its guarantees, its breaks, its packages.

mod breaks;
mod dependencies;
mod guarantees;
mod layers;
mod msrv;
mod packages;
mod public_api;
