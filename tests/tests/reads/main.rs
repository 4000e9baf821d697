//! Calls whose value is stored, and calls that must load.

mod annotated;
mod batch;
mod ended;
mod forced;
mod errors;
mod jitter;
mod near;
mod read_path;
mod unpolled;
mod value_tags;
