//! The protocol: its model is searched, and the runs that this finds are replayed on the implementation.

mod model;
mod replay;
