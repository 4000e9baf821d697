//! Attributes stay on the function and keep their meaning, and only the user's code fulfils `#[expect]`.

#![deny(warnings, clippy::pedantic, clippy::allow_attributes_without_reason)]

use cached_core::{CacheEvent, redis_cached, redis_invalidate, redis_put};

/// `#[cfg]` removes the function and the attribute, whose arguments are not checked.
#[cfg(any())]
#[redis_cached(key = "no such <argument>")]
async fn absent_above(argument: NoSuchType) -> NoSuchType {
    argument
}

/// `#[cfg]` below the attribute is not evaluated yet, and stays on the function.
#[redis_cached(key = "below:<id>")]
#[cfg(any())]
async fn absent_below(id: NoSuchType) -> NoSuchType {
    id
}

#[cfg(all())]
#[redis_cached(key = "present:<id>")]
#[cfg_attr(all(), must_use)]
#[cfg_attr(any(), no_such_attribute)]
async fn present(id: u64) -> u64 {
    id
}

#[deprecated(since = "1.0.0", note = "kept")]
#[redis_cached]
async fn deprecated_above(id: u64) -> u64 {
    id
}

#[redis_cached]
#[expect(unused_variables, reason = "fulfilled by `unused` and by nothing of ours")]
async fn expected_below(id: u64) -> u64 {
    let unused = 1;
    id
}

#[expect(clippy::needless_pass_by_value, reason = "fulfilled by `name`")]
#[redis_cached(key = "name:<name>")]
async fn expected_above(name: String) -> usize {
    name.len()
}

#[redis_cached]
async fn expected_inside(id: u64) -> u64 {
    #![expect(unused_mut, reason = "fulfilled by `copy`")]
    let mut copy = id;
    #[expect(clippy::let_and_return, reason = "on a statement")]
    let twice = copy * 2;
    twice
}

#[allow(unused_variables, reason = "on a parameter, too")]
#[redis_cached(key = "parameter:<id>", skip(unused))]
async fn on_parameters(#[allow(unused_mut, reason = "kept")] mut id: u64, #[cfg(all())] unused: u64) -> u64 {
    id
}

#[redis_cached(key = "cold:<id>")]
#[cold]
#[inline(never)]
#[doc(hidden)]
#[doc(alias = "kept")]
pub(crate) async fn many(id: u64) -> u64 {
    id
}

#[derive(CacheEvent)]
struct Updated {
    id: u64,
}

#[cfg(any())]
#[redis_invalidate(no such = option)]
async fn absent_write(argument: NoSuchType) {}

#[redis_invalidate(Updated { id })]
#[must_use]
#[cfg_attr(any(), no_such_attribute)]
async fn write(id: u64) -> u64 {
    id
}

#[redis_invalidate(Updated { id: *ret }, mode = "after")]
#[expect(unused_variables, reason = "fulfilled by `unused` and by nothing of ours")]
async fn expected_in_a_write(id: u64, #[cfg(all())] other: u64) -> u64 {
    #![expect(unused_mut, reason = "fulfilled by `copy`")]
    let mut copy = id;
    let unused = 1;
    copy
}

#[deprecated(since = "1.0.0", note = "kept")]
#[redis_put(Updated { id }, key = "put:<id>")]
async fn deprecated_put(id: u64) -> u64 {
    id
}

fn main() {
    drop(write(1));
    drop(expected_in_a_write(1, 2));
    #[expect(deprecated, reason = "the function is")]
    drop(deprecated_put(1));
    drop(present(1));
    #[expect(deprecated, reason = "the function is")]
    drop(deprecated_above(1));
    drop(expected_below(1));
    drop(expected_above(String::new()));
    drop(expected_inside(1));
    drop(on_parameters(1, 2));
    drop(many(1));
}
