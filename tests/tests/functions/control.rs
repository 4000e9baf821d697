//! Calls that their caller controls: past the cache.

mod bypass;
