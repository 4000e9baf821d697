//! The cases: one file each.

mod allocations;
mod batch;
mod compile_time;
mod entry_bytes;
mod fill;
mod future_size;
mod hits;
mod hung;
mod near;
mod stampede;
mod tags;
mod wake_up;

use crate::report::Line;
use crate::scale::Scale;
use crate::server::RedisServer;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Case {
    HitSequential,
    Hit64,
    Hit256,
    HitHot,
    HitTags,
    Hit64Tags,
    NearHit,
    NearHit2,
    WakeUp,
    Batch100,
    Invalidation,
    ColdFill,
    Stampede,
    RedisHung,
    Allocations,
    FutureSize,
    EntryBytes,
    CompileTime,
}

impl Case {
    pub(crate) const ALL: [Self; 18] = [
        Self::HitSequential,
        Self::Hit64,
        Self::Hit256,
        Self::HitHot,
        Self::HitTags,
        Self::Hit64Tags,
        Self::NearHit,
        Self::NearHit2,
        Self::WakeUp,
        Self::Batch100,
        Self::Invalidation,
        Self::ColdFill,
        Self::Stampede,
        Self::RedisHung,
        Self::Allocations,
        Self::FutureSize,
        Self::EntryBytes,
        Self::CompileTime,
    ];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::HitSequential => "hit-sequential",
            Self::Hit64 => "hit-64",
            Self::Hit256 => "hit-256",
            Self::HitHot => "hit-hot",
            Self::HitTags => "hit-tags",
            Self::Hit64Tags => "hit-64-tags",
            Self::NearHit => "near-hit",
            Self::NearHit2 => "near-hit-2",
            Self::WakeUp => "wake-up",
            Self::Batch100 => "batch-100",
            Self::Invalidation => "invalidation",
            Self::ColdFill => "cold-fill",
            Self::Stampede => "stampede",
            Self::RedisHung => "redis-hung",
            Self::Allocations => "allocations",
            Self::FutureSize => "future-size",
            Self::EntryBytes => "entry-bytes",
            Self::CompileTime => "compile-time",
        }
    }

    pub(crate) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|case| case.name() == name)
    }

    /// All cases share one `server`, because some subjects keep their connection in a `static`.
    pub(crate) async fn run(self, server: &RedisServer, scale: &Scale) -> Vec<Line> {
        let name = self.name();
        match self {
            Self::HitSequential => hits::run(name, server, 1, hits::KEYS, scale).await,
            Self::Hit64 => hits::run(name, server, 64, hits::KEYS, scale).await,
            Self::Hit256 => hits::run(name, server, 256, hits::KEYS, scale).await,
            Self::HitHot => hits::run(name, server, 64, 1, scale).await,
            Self::HitTags => tags::hits(name, server, 1, scale).await,
            Self::Hit64Tags => tags::hits(name, server, 64, scale).await,
            Self::NearHit => near::run(name, server, 1, scale).await,
            Self::NearHit2 => near::run(name, server, 2, scale).await,
            Self::WakeUp => wake_up::run(name, server, scale).await,
            Self::Batch100 => batch::run(name, server, scale).await,
            Self::Invalidation => tags::invalidation(name, server, scale).await,
            Self::ColdFill => fill::run(name, server, scale).await,
            Self::Stampede => stampede::run(name, server, scale).await,
            Self::RedisHung => hung::run(name, server, scale).await,
            Self::Allocations => allocations::run(name, server, scale).await,
            Self::EntryBytes => {
                let mut lines = entry_bytes::run(name, server).await;
                lines.push(tags::register(name, server).await);
                lines
            }
            Self::FutureSize => future_size::run(name),
            Self::CompileTime => compile_time::run(name, scale),
        }
    }
}
