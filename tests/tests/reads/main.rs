//! What a call does if its value is stored, or if it must load.

mod annotated;
mod batch;
mod ended;
mod jitter;
mod near;
mod read_path;
mod unpolled;
