//! The line for re-exports, where it has no effect.

mod inner {
    cached_core::extern_crate!();
}

fn main() {}
