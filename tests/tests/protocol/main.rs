//! The protocol: its model searched, and the runs that it found replayed on the implementation.

mod model;
mod replay;
