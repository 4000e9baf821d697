//! The project's statements about itself: its public API, dependencies, guarantees, guide, breaks and packages.

mod breaks;
mod dependencies;
mod guarantees;
mod guide;
mod layers;
mod msrv;
mod packages;
mod public_api;
