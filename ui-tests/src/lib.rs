//! What users of the macros are told, and what must compile. See `tests/ui.rs`.
