//! The write path: what a write invalidates, and the bracket around it.
//!
//! *Bracket*: BEGIN removes the registers and marks them before the write begins; while a marker lives, nobody gets a
//! lease on them. END removes the registers again, and the markers. *After*: the registers are removed when the write
//! has completed.
//!
//! # On cancellation
//! A write that is dropped may have been committed, or may still be committed: its registers are removed once more, and
//! its markers stay until they run out. The markers also run out if the process dies.
//!
//! # When Redis is down
//! BEGIN and END share the budget of a call. A write that could not begin its bracket goes ahead without one (or is
//! refused, if its site says so). What could not be applied at its end is queued, see [`replay`](super::queue::replay).

pub(crate) mod bracket;
mod parts;
pub(crate) mod put;
pub(crate) mod scope;

use super::call::Call;
use super::health::is_on_tokio;
use super::{Engine, asking};
use crate::error::CacheError;
use crate::invalidation::{Invalidation, Outcome, Registers};
use crate::key::{Prefix, Unrenderable};
use crate::outcome::Shape;
use crate::site::Site;
use bracket::{Bracket, FailedBegin};
use put::Put;
use scope::Scope;
use std::sync::Arc;

/// A write that has not begun yet, with what it invalidates.
#[derive(Debug)]
pub struct Write {
    /// `None` without a cache.
    scope: Option<Scope>,
}

impl Write {
    pub(crate) fn of(engine: Option<Arc<Engine>>, site: &'static Site) -> Self {
        let scope = |engine: Arc<Engine>| {
            let site = engine.site(site);
            Scope { engine, site, registers: Registers::default(), flaw: None, is_open: true }
        };
        Self { scope: engine.map(scope) }
    }

    /// Whether there is no cache in which it could invalidate anything.
    pub(crate) fn is_without_cache(&self) -> bool {
        self.scope.is_none()
    }

    /// Adds what the write invalidates. A part that cannot be rendered is logged.
    pub(crate) fn with(mut self, add: impl FnOnce(&mut Registers, &Prefix) -> Result<(), Unrenderable>) -> Self {
        if let Some(scope) = &mut self.scope
            && let Err(argument) = add(&mut scope.registers, &scope.engine.settings.prefix)
        {
            let (site, place) = (scope.site.site.path(), scope.site.site.place());
            tracing::error!(
                site,
                place,
                argument,
                "what this write changes cannot be rendered, so it is not invalidated: the `KeyIdentity` or \
                 `Serialize` of `{argument}` fails or panics"
            );
            scope.flaw = Some(CacheError::Unrenderable);
        }
        self
    }

    /// Adds an invalidation that the user has built.
    pub(crate) fn invalidation(self, what: &Invalidation) -> Self {
        let mut write = self.with(|registers, prefix| what.add_to(registers, prefix));
        if let Some(scope) = &mut write.scope
            && let Some(pattern) = what.pattern(&scope.engine.settings.prefix)
        {
            scope.flaw.get_or_insert(pattern);
        }
        write
    }

    /// Waits for BEGIN. If it fails, the write goes ahead without a bracket.
    pub async fn begin(self) -> Bracket {
        let Some(scope) = self.scope else {
            asking::stop().await;
            return Bracket::none();
        };
        Bracket::begin(scope, false).await.unwrap_or_else(FailedBegin::go_ahead)
    }

    /// Waits for BEGIN.
    ///
    /// # Errors
    /// Why there is no bracket, or none around all that is written.
    pub async fn begin_or_fail(self) -> Result<Bracket, CacheError> {
        let Some(scope) = self.scope else {
            asking::stop().await;
            return Ok(Bracket::none());
        };
        Bracket::begin(scope.whole()?, false).await.map_err(FailedBegin::refuse)
    }

    /// Begins a write whose value is to be stored as the entry of `call`. If BEGIN fails, the write goes ahead without
    /// a bracket.
    pub async fn begin_put<S: Shape>(self, call: Call, shape: S) -> Put {
        let Some(scope) = self.scope else {
            asking::stop().await;
            return Put::none();
        };
        match call.typed(shape).target {
            Some(target) => Put::begin(scope, target)
                .await
                .unwrap_or_else(|(failed, target)| Put::removal_only(failed.go_ahead(), &target)),
            None => Put::without_entry(Box::pin(scope.without_entry().begin()).await),
        }
    }

    /// Begins a write whose value is to be stored as the entry of `call`.
    ///
    /// # Errors
    /// Why there is no bracket, or none around all that is written.
    pub async fn begin_put_or_fail<S: Shape>(self, call: Call, shape: S) -> Result<Put, CacheError> {
        let Some(scope) = self.scope else {
            asking::stop().await;
            return Ok(Put::none());
        };
        match call.typed(shape).target {
            Some(target) => Put::begin(scope.whole()?, target).await.map_err(|(failed, _)| failed.refuse()),
            None => Box::pin(scope.without_entry().begin_or_fail()).await.map(Put::without_entry),
        }
    }

    /// Keeps the body of a write from beginning while the write is asked for its entry. [`begin`](Self::begin) and the
    /// other functions do that as well.
    pub async fn starts(&self) {
        if self.scope.is_none() {
            asking::stop().await;
        }
    }

    /// Invalidates after the body has run.
    pub async fn apply(self) {
        let _ = self.invalidate().await;
    }

    /// Invalidates.
    pub(crate) async fn invalidate(self) -> Outcome {
        let Some(scope) = self.scope else { return Outcome::Applied };
        scope.invalidate().await
    }
}

impl Scope {
    /// The write without its put: the entry's key cannot be rendered, or there is no runtime to store it.
    fn without_entry(mut self) -> Write {
        if is_on_tokio() {
            self.flaw = Some(CacheError::Unrenderable);
        }
        Write { scope: Some(self) }
    }
}
