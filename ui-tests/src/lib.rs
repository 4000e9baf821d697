//! The compiler messages that users of the macros see, and code that must compile. See `tests/ui.rs`.
