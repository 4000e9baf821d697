//! Annotated functions as those who write them and those who run them see them: their options, their entries, what their code
//! does to the cache, and what is said of them.

mod entries;
mod options;
mod told;
mod user_code;
