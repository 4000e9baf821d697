//! Calls that their caller controls: past the cache, or with their status.

mod bypass;
mod status;
