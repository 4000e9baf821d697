//! Annotated functions, as their authors and operators see them: their options, their entries, what user code does to
//! the cache, which cache they use, and what is reported about them.

mod entries;
mod options;
mod scopes;
mod told;
mod user_code;
