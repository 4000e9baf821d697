//! Calls whose value is stored, and calls that must load.

mod annotated;
mod batch;
mod ended;
mod errors;
mod forced;
mod jitter;
mod near;
mod read_path;
mod unpolled;
mod value_tags;
