//! The server has refused a command over several registers. It is asked again a minute later.
//!
//! A cluster's node refuses such commands for good; but a right can be granted, and the server behind an address can
//! change.

use super::fault::Fault;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::time::Instant;

/// The time for which the server is not asked again.
const STANDS: Duration = Duration::from_secs(60);

/// Whether the server refuses a kind of command.
#[derive(Debug)]
pub(super) struct Refusal {
    began: Instant,
    /// The moment until which it is not asked again, in milliseconds since then; 0 if it has never refused.
    until: AtomicU64,
}

impl Refusal {
    /// Nothing has been refused yet.
    pub(super) fn new() -> Self {
        Self { began: Instant::now(), until: AtomicU64::new(0) }
    }

    /// Notes why a command was not carried out. Returns whether the server refuses this command, for the first time in
    /// a minute.
    pub(super) fn note(&self, fault: &Fault, now: Instant) -> bool {
        fault.is_refusal && {
            let stood = self.stands(now);
            self.until.store(self.since(now + STANDS), Ordering::Relaxed);
            !stood
        }
    }

    /// Whether the server has refused it within the last minute. This costs next to nothing as long as it never has.
    pub(super) fn stands(&self, now: Instant) -> bool {
        let until = self.until.load(Ordering::Relaxed);
        until > 0 && self.since(now) < until
    }

    fn since(&self, at: Instant) -> u64 {
        u64::try_from(at.saturating_duration_since(self.began).as_millis()).unwrap_or(u64::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::FaultKind;

    fn refused() -> Fault {
        let mut fault = Fault::new(FaultKind::Refused, "NOPERM");
        fault.is_refusal = true;
        fault
    }

    #[test]
    fn a_refusal_stands_for_a_minute() {
        let refusal = Refusal::new();
        let at = |secs| refusal.began + Duration::from_secs(secs);
        assert!(!refusal.stands(at(0)));
        assert!(refusal.note(&refused(), at(0)));
        assert!(refusal.stands(at(0)) && refusal.stands(at(59)));
        assert!(!refusal.stands(at(60)), "it is asked again");
        assert!(refusal.note(&refused(), at(70)));
        assert!(!refusal.note(&refused(), at(100)), "that is known");
        assert!(refusal.stands(at(159)));
        assert!(!refusal.stands(at(160)));
    }

    #[test]
    fn only_an_answer_to_the_command_is_one() {
        let refusal = Refusal::new();
        let now = refusal.began;
        for kind in [FaultKind::Refused, FaultKind::Auth, FaultKind::Timeout] {
            assert!(!refusal.note(&Fault::new(kind, "ERR max number of clients reached"), now));
            assert!(!refusal.stands(now), "{kind}");
        }
    }
}
