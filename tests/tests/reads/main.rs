//! What a call does that has a value stored, or has to load it.

mod annotated;
mod batch;
mod ended;
mod jitter;
mod near;
mod read_path;
mod unpolled;
