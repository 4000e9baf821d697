//! Counts the changes of registers that this process knows of: one counter for each of some thousand groups of keys.
//!
//! A value is kept together with the counters of its registers from *before* its read, and may be served while they
//! stay the same. So it does not matter in which order this process handles the answer to the read and the notification
//! of a change: the notification raises the counter whether it comes while the answer is under way, before the value is
//! kept, or after. (Redis' own documentation of client-side caching, and `CONSISTENCY` l3, cancel a reservation
//! instead; here nothing has to be found and cancelled.) Two keys that share a counter cost each other a read now and
//! then.

use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;
use std::sync::atomic::{AtomicU64, Ordering};

/// 128 KiB of counters.
const GROUPS: usize = 1 << 14;

#[derive(Debug)]
pub(super) struct Marks {
    changes: Box<[AtomicU64]>,
    hasher: RandomState,
}

/// A register's counter at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Mark {
    group: u32,
    changes: u64,
}

impl Marks {
    pub(super) fn new() -> Self {
        Self { changes: (0..GROUPS).map(|_| AtomicU64::new(0)).collect(), hasher: RandomState::new() }
    }

    fn group(&self, key: &str) -> u32 {
        #[expect(clippy::cast_possible_truncation, reason = "it is below GROUPS")]
        let group = (self.hasher.hash_one(key) % GROUPS as u64) as u32;
        group
    }

    /// The register's counter now.
    pub(super) fn of(&self, key: &str) -> Mark {
        let group = self.group(key);
        Mark { group, changes: self.changes[group as usize].load(Ordering::SeqCst) }
    }

    /// Counts a change of the register.
    pub(super) fn change(&self, key: &str) {
        self.changes[self.group(key) as usize].fetch_add(1, Ordering::SeqCst);
    }

    /// Whether the register has not changed since the mark was made.
    #[inline]
    pub(super) fn holds(&self, mark: Mark) -> bool {
        self.changes[mark.group as usize].load(Ordering::SeqCst) == mark.changes
    }
}
