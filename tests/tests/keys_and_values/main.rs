//! The key of an entry, and what is read back from it.

mod deployments;
mod format;
mod identity;
mod keys;
mod read_back;
