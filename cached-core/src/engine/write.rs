//! Writes: what is invalidated, and the bracket around it. (being built)

use super::Engine;
use super::shell::{Call, Policy};
use crate::error::CacheError;
use crate::invalidation::Registers;
use crate::key::Prefix;
use crate::outcome::Shape;
use crate::site::Site;
use std::sync::Arc;

/// A write on its way: what it invalidates, gathered.
#[derive(Debug)]
pub struct Write {
    engine: Option<Arc<Engine>>,
    registers: Registers,
}

impl Write {
    pub(crate) fn of(engine: Option<Arc<Engine>>, _site: &'static Site) -> Self {
        Self { engine, registers: Registers::default() }
    }

    pub(crate) fn with(mut self, add: impl FnOnce(&mut Registers, &Prefix) -> bool) -> Self {
        if let Some(engine) = &self.engine {
            add(&mut self.registers, &engine.settings.prefix);
        }
        self
    }

    /// BEGIN, waited for; if it fails the write goes ahead without.
    pub async fn begin(self) -> Bracket {
        Bracket {}
    }

    /// BEGIN, waited for.
    ///
    /// # Errors
    /// Why there is no bracket.
    pub async fn begin_or_fail(self) -> Result<Bracket, CacheError> {
        Ok(Bracket {})
    }

    /// BEGIN of a write whose value is to be stored as the entry of `call`.
    pub async fn begin_put<S: Shape>(self, _call: Call, _: S) -> Put {
        Put {}
    }

    /// As [`begin_put`](Self::begin_put).
    ///
    /// # Errors
    /// Why there is no bracket.
    pub async fn begin_put_or_fail<S: Shape>(self, _call: Call, _: S) -> Result<Put, CacheError> {
        Ok(Put {})
    }

    /// Invalidates, after the body has run.
    pub async fn apply(self) {}
}

/// A write in progress.
#[derive(Debug)]
pub struct Bracket {}

impl Bracket {
    /// END.
    pub async fn end(self) {}
}

/// A write in progress whose value is to be stored.
#[derive(Debug)]
pub struct Put {}

impl Put {
    /// END, with the value that was returned.
    pub async fn settle<S: Shape>(self, _: S, _policy: &Policy<S::Item>, returned: S::Return) -> S::Return {
        returned
    }
}
