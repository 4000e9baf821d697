//! A dependency with another name, and what `extern crate` makes of it.

#![deny(warnings)]

extern crate caching as cached_core;

pub mod users;
