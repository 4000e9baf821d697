//! The requests: what a caller asks a store to do, one struct for each step.
//!
//! Each has a constructor for what every caller gives, and setters for the rest. The fields are public, so that a store
//! reads them, and the structs are `#[non_exhaustive]`: a later version may ask for more. A store that wraps another
//! one passes the request on as it is, or changes a field of it first.
//!
//! | field | meaning |
//! |---|---|
//! | `key`, `keys`, `tags` | registers; a key has at most 512 bytes |
//! | `ttl`, `marker` | a time to live, counted from now; a time below a millisecond counts as a millisecond |
//! | `within` | the longest time that the answer may take, connecting included |

mod one;
mod several;

pub use one::{Acquire, Fill, Get, Life, Ping, Put, Release, Remove, Renew, Takeover};
pub use several::{Begin, End, GetAll, GetWatched, RemoveAll, Sweep, TagAll};
