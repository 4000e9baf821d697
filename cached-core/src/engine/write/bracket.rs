//! The bracket around a write: BEGIN, extended while the write runs, and END.

use super::scope::Scope;
use crate::engine::Engine;
use crate::engine::budget::Budget;
use crate::engine::load::fill::start;
use crate::envelope::Head;
use crate::error::{CacheError, FaultKind, StoreError};
use crate::invalidation::Outcome;
use crate::key::Key;
use crate::lease;
use crate::store::{Begin, Each, End, Written};
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinHandle;
use tokio::time::Instant;

/// A write that takes longer is no longer marked. END covers it all the same, unless its process dies.
const EXTENDED_FOR: Duration = Duration::from_secs(300);

/// A write in progress. Dropped instead of ended, it leaves its markers to run out.
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
    /// The time that BEGIN has left for the write's further steps.
    budget: Budget,
}

/// A write whose BEGIN failed.
#[derive(Debug)]
pub(crate) struct FailedBegin {
    scope: Box<Scope>,
    /// Of a BEGIN that may take effect yet; `None` if none was sent.
    writer: Option<Head>,
    budget: Budget,
    error: CacheError,
}

impl Bracket {
    pub(crate) fn none() -> Self {
        Self { open: None }
    }

    /// BEGIN. With `token`, so that a value can be put at the end.
    pub(crate) async fn begin(scope: Scope, token: bool) -> Result<Self, FailedBegin> {
        let fails = |scope, writer, budget, error| Err(FailedBegin { scope: Box::new(scope), writer, budget, error });
        let mut budget = scope.engine.budget();
        if let Err(error) = scope.engine.usable() {
            return fails(scope, None, budget, error);
        }
        let mut tried = Self::try_begin(&scope, token, &mut budget).await;
        // An idle connection that the server has closed is not to be felt. The store sends no token twice, but this is
        // another writer's.
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
        let (keys, marker) = (scope.keys(), engine.settings.marker);
        let begun = budget
            .step(engine, |store, within| store.begin(Begin::new(writer, keys, marker, within).with_token(token)))
            .await;
        engine.wrote(scope.keys());
        begun.and_then(Each::whole).map_err(|error| (Some(writer), error.into()))?;
        Ok(writer)
    }

    /// Ends a BEGIN that may have been carried out though its connection broke: its marker would keep loads from being stored until
    /// it runs out, long after the write, and its token the next writer from having one. If this fails, so does what comes next.
    async fn end_lost(scope: &Scope, writer: Head, budget: &mut Budget) {
        let written = nothing(scope.keys());
        let _ = budget.step(&scope.engine, |store, within| store.end(End::new(writer, &written, within))).await;
    }

    /// END.
    pub async fn end(self) {
        let _ = self.ended().await;
    }

    /// What is left of the write's budget; `None` without a cache.
    pub(crate) fn budget(&mut self) -> Option<&mut Budget> {
        self.open.as_mut().map(|open| &mut open.budget)
    }

    /// END, with what became of the write.
    pub(crate) async fn ended(self) -> Outcome {
        self.end_with(|_| Vec::new()).await.0
    }

    /// END, which puts what `puts` makes of the writer.
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
    /// The write goes ahead without its markers.
    pub(crate) fn go_ahead(self) -> Bracket {
        let Self { scope, writer, budget, error } = self;
        scope.site.unbracketed(&error);
        // Any other writer's END would do as well; this one also ends a BEGIN that takes effect late.
        let writer = writer.or_else(lease::writer).unwrap_or_else(|| Head::lease(0));
        Bracket { open: Some(OpenBracket { scope: *scope, writer, extension: Extension::none(), budget }) }
    }

    /// The write is not made.
    pub(crate) fn refuse(self) -> CacheError {
        let Self { mut scope, writer, error, .. } = self;
        if let Some(writer) = writer {
            let (engine, written) = (Arc::clone(&scope.engine), nothing(scope.keys()));
            // Else its marker would keep loads from being stored for as long as it lives. Nobody waits for this.
            start(&engine.clone(), async move {
                let mut budget = engine.budget();
                let _ = budget.step(&engine, |store, within| store.end(End::new(writer, &written, within))).await;
            });
        }
        scope.site.counters.refused.one();
        scope.close();
        error
    }
}

/// The end of a write that puts nothing.
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
        let (store, marker) = (Arc::clone(engine.store.off_path()), engine.settings.marker);
        Self(Some(tokio::spawn(async move {
            let began = Instant::now();
            let mut ticks = tokio::time::interval(marker / 3);
            ticks.tick().await;
            while began.elapsed() < EXTENDED_FOR {
                ticks.tick().await;
                // One that fails is tried again at the next tick, before the markers have run out. Never with the token: when
                // the markers are lost, another write may have come and gone, and the token must not come back.
                let begun = store.begin(Begin::new(writer, &keys, marker, marker / 6)).await;
                if let Err(error) = begun.and_then(Each::whole) {
                    tracing::debug!(%error, "the markers of a write could not be extended");
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
