//! Annotated functions, as their authors and operators see them: their options, their entries, what user code does to
//! the cache, and what is reported about them.

mod control;
mod entries;
mod options;
mod sync_callers;
mod told;
mod user_code;
mod verbs;
