//! The line for re-exports, where it has no effect.

mod acme {
    pub use cached_core as caching;
}

mod inner {
    crate::acme::caching::extern_crate!();
}

fn main() {}
