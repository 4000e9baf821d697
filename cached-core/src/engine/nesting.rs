//! Which keys this task is loading: a cached function may call itself, or another that calls it back.

use crate::key::Key;
use std::sync::Arc;

tokio::task_local! {
    static LOADING: Arc<Loading>;
}

/// One key being loaded, inside of the loads of the others.
#[derive(Debug)]
struct Loading {
    engine: u64,
    key: Key,
    outer: Option<Arc<Loading>>,
}

/// Whether this task is inside of a load, and of which.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Nesting {
    /// Not inside of any load.
    None,
    /// Inside of loads of other keys.
    Other,
    /// Inside of a load of this very key: waiting for it would be waiting for oneself.
    Same,
}

/// Where this task stands with respect to `key` of the engine with that id.
pub(super) fn of(engine: u64, key: &str) -> Nesting {
    LOADING
        .try_with(|innermost| {
            let mut loading = Some(innermost);
            while let Some(at) = loading {
                if at.engine == engine && *at.key == *key {
                    return Nesting::Same;
                }
                loading = at.outer.as_ref();
            }
            Nesting::Other
        })
        .unwrap_or(Nesting::None)
}

/// Runs `load` as a load of `key`.
pub(super) async fn inside<F: Future>(engine: u64, key: Key, load: F) -> F::Output {
    let outer = LOADING.try_with(Arc::clone).ok();
    LOADING.scope(Arc::new(Loading { engine, key, outer }), load).await
}
