//! The bracket around a write: BEGIN, which is extended while the write runs, and END.
//!
//! What a marker does to others is in `store/redis/scripts/marked.lua` and `store/memory/markers.rs`.

use super::parts;
use super::scope::Scope;
use crate::engine::Engine;
use crate::engine::budget::Budget;
use crate::engine::gate;
use crate::engine::load::fill::start;
use crate::envelope::Head;
use crate::error::{CacheError, FaultKind, StoreError};
use crate::invalidation::Outcome;
use crate::key::Key;
use crate::lease;
use crate::store::{Begin, Written};
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinHandle;
use tokio::time::Instant;

/// How long markers are extended. A longer write has no marker at its end; its END still removes the registers, unless
/// the process dies.
const EXTENDED_FOR: Duration = Duration::from_secs(300);

/// A write in progress. If it is dropped instead of ended, its markers run out by themselves.
#[derive(Debug)]
pub struct Bracket {
    /// `None` without a cache.
    open: Option<OpenBracket>,
}

#[derive(Debug)]
struct OpenBracket {
    scope: Scope,
    writer: Head,
    extension: Extension,
    /// The rest of the budget, for the write's further steps.
    budget: Budget,
}

/// A write whose BEGIN failed.
#[derive(Debug)]
pub(crate) struct FailedBegin {
    scope: Box<Scope>,
    /// The writer of a BEGIN that may still take effect; `None` if none was sent.
    writer: Option<Head>,
    budget: Budget,
    error: CacheError,
}

impl Bracket {
    pub(crate) fn none() -> Self {
        Self { open: None }
    }

    /// Sends BEGIN. With `token`, a value can be put at the end.
    pub(crate) async fn begin(scope: Scope, token: bool) -> Result<Self, FailedBegin> {
        let fails = |scope, writer, budget, error| Err(FailedBegin { scope: Box::new(scope), writer, budget, error });
        let mut budget = scope.engine.budget();
        // An empty list asks nothing of the store, so the store need not be there.
        if scope.keys().is_empty() {
            let (writer, extension) = (Head::lease(0), Extension::none());
            return Ok(Self { open: Some(OpenBracket { scope, writer, extension, budget }) });
        }
        if let Err(error) = scope.engine.usable() {
            return fails(scope, None, budget, error);
        }
        let mut tried = Self::try_begin(&scope, token, &mut budget).await;
        // Callers must not notice that the server has closed an idle connection. The store itself does not repeat a
        // BEGIN with a token; this one is of another writer.
        if token
            && let Err((Some(lost), error)) = &tried
            && is_disconnected(error)
        {
            Self::end_lost(&scope, *lost, &mut budget).await;
            tried = Self::try_begin(&scope, token, &mut budget).await;
        }
        match tried {
            Ok(writer) => {
                let extension = Extension::start(&scope.engine, writer, scope.keys().to_vec());
                Ok(Self { open: Some(OpenBracket { scope, writer, extension, budget }) })
            }
            Err((writer, error)) => fails(scope, writer, budget, error),
        }
    }

    async fn try_begin(scope: &Scope, token: bool, budget: &mut Budget) -> Result<Head, (Option<Head>, CacheError)> {
        let engine = &scope.engine;
        let writer = lease::writer().ok_or((None, CacheError::NoRandomness))?;
        let begun = parts::begin(engine, budget, writer, scope.keys(), token).await;
        engine.wrote(scope.keys());
        begun.map_err(|error| (Some(writer), error.into()))?;
        Ok(writer)
    }

    /// Ends a BEGIN that may have been carried out although its connection broke. Its marker would keep loads from
    /// being stored until it runs out, long after the write, and its token would keep the next writer from having one.
    /// An error here is ignored, because the next BEGIN will then fail too.
    async fn end_lost(scope: &Scope, writer: Head, budget: &mut Budget) {
        let written = nothing(scope.keys());
        let _ = parts::end(&scope.engine, budget, writer, &written).await;
    }

    /// Ends the write.
    pub async fn end(self) {
        let _ = self.ended().await;
    }

    /// The rest of the write's budget; `None` without a cache.
    pub(crate) fn budget(&mut self) -> Option<&mut Budget> {
        self.open.as_mut().map(|open| &mut open.budget)
    }

    /// Ends the write. Returns what became of its invalidation.
    pub(crate) async fn ended(self) -> Outcome {
        self.end_with(|_| Vec::new()).await.0
    }

    /// Ends the write and puts what `puts` returns for the writer. Returns the outcome, and whether the values were
    /// put.
    pub(crate) async fn end_with(self, puts: impl FnOnce(Head) -> Vec<Written>) -> (Outcome, bool) {
        let Some(OpenBracket { scope, writer, extension, budget }) = self.open else {
            return (Outcome::Applied, false);
        };
        drop(extension);
        let mut written = puts(writer);
        let rest = scope.keys().iter().filter(|key| written.iter().all(|written| written.key != **key));
        let rest: Vec<_> = rest.map(|key| Written::nothing(Key::clone(key))).collect();
        written.extend(rest);
        scope.end(writer, &written, budget.with_last_step()).await
    }
}

impl FailedBegin {
    /// Lets the write go ahead without its markers.
    pub(crate) fn go_ahead(self) -> Bracket {
        let Self { scope, writer, budget, error } = self;
        scope.site.unbracketed(&error);
        // END works with any writer; with this one it also ends a BEGIN that takes effect late.
        let writer = writer.or_else(lease::writer).unwrap_or_else(|| Head::lease(0));
        Bracket { open: Some(OpenBracket { scope: *scope, writer, extension: Extension::none(), budget }) }
    }

    /// Refuses the write.
    pub(crate) fn refuse(self) -> CacheError {
        let Self { mut scope, writer, error, .. } = self;
        if let Some(writer) = writer {
            let (engine, written) = (Arc::clone(&scope.engine), nothing(scope.keys()));
            // Otherwise its marker would keep loads from being stored for as long as it lives. No caller waits for
            // this.
            start(&engine.clone(), async move {
                let mut budget = engine.budget();
                let _ = parts::end(&engine, &mut budget, writer, &written).await;
            });
        }
        scope.site.counters.refused.one();
        scope.close();
        error
    }
}

/// What the END of a write that puts nothing does to these registers.
fn nothing(keys: &[Key]) -> Vec<Written> {
    keys.iter().map(|key| Written::nothing(Key::clone(key))).collect()
}

fn is_disconnected(error: &CacheError) -> bool {
    matches!(error, CacheError::Store(StoreError { kind: FaultKind::Disconnected, .. }))
}

/// Repeats BEGIN while the write runs, until this is dropped.
#[derive(Debug)]
struct Extension(Option<JoinHandle<()>>);

impl Extension {
    fn none() -> Self {
        Self(None)
    }

    fn start(engine: &Arc<Engine>, writer: Head, keys: Vec<Key>) -> Self {
        let (store, marker) = (Arc::clone(engine.store.off_path()), engine.settings.write_marker_ttl);
        Self(Some(tokio::spawn(async move {
            let began = Instant::now();
            let mut ticks = tokio::time::interval(marker / 3);
            ticks.tick().await;
            while began.elapsed() < EXTENDED_FOR {
                ticks.tick().await;
                // A BEGIN that fails is repeated at the next tick, before the markers have run out. It never has the
                // token: if the markers were lost, another write may have come and gone, and the token must not come
                // back.
                for keys in parts::of(&keys) {
                    if let Err(error) = gate::begin(&*store, Begin::new(writer, keys, marker, marker / 6)).await {
                        tracing::debug!(%error, "the markers of a write could not be extended");
                    }
                }
            }
        })))
    }
}

impl Drop for Extension {
    fn drop(&mut self) {
        if let Some(task) = self.0.take() {
            task.abort();
        }
    }
}
