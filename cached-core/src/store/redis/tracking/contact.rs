//! Decides whose turn it is to keep the connection, and whether it may be read on. [`keeper`](super::keeper) carries it
//! out.
//!
//! ```text
//!            enter                    stands
//!   Idle ───────────▶ Connecting ───────────────▶ Standing
//!    ▲                 │  ▲  │                        │
//!    │ leaves          │  │  │ refused                │ ended
//!    └─────────────────┘  │  ▼                        │
//!            enter, later │ Refused                   │
//!                         └───────────────────────────┘
//! ```
//!
//! One task at a time is in charge: the keeper. It may be gone with its runtime, or that runtime may stand still. The
//! next reader then starts another keeper on a runtime that is alive, and the former finds out that it has been
//! replaced.

use crate::store::redis::open::CONNECT_WITHIN;
use std::time::{Duration, Instant};

/// A keeper that connects gives a sign at least this often: an attempt and the pause behind it take half of it.
const SILENT: Duration = CONNECT_WITHIN.saturating_mul(4);
/// The time after which a server that knows no tracking is asked again.
const REFUSED: Duration = Duration::from_secs(60);
/// The number of heartbeats without a confirmation after which the keeper counts as gone. After one, it gives up the
/// connection itself.
const MISSED: u32 = 2;

/// The state. `L` is the line: the connection itself.
#[derive(Debug)]
pub(super) struct Contact<L> {
    /// The number of the keeper in charge.
    keeper: u64,
    /// Of the last line.
    lines: u64,
    phase: Phase<L>,
    has_been_refused: bool,
}

#[derive(Debug)]
enum Phase<L> {
    Idle,
    Connecting { sign: Instant },
    Standing(Standing<L>),
    Refused { since: Instant },
}

/// A line that may be read on.
#[derive(Debug)]
struct Standing<L> {
    number: u64,
    line: L,
    /// The moment of the last question that has been answered.
    confirmed: Instant,
    /// The last sign of the keeper: it has made the line, or asked a question that has been answered.
    sign: Instant,
    /// An answer is overdue.
    is_doubted: bool,
}

/// The answer to a reader.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Entry<L> {
    Read(u64, L),
    /// Not now.
    Not,
    /// Not now, and the reader is to start this keeper. With a line, if one has been lost just now.
    Start(u64, Option<L>),
}

impl<L: Clone> Contact<L> {
    pub(super) fn new() -> Self {
        Self { keeper: 0, lines: 0, phase: Phase::Idle, has_been_refused: false }
    }

    /// Answers somebody who comes to read.
    pub(super) fn enter(&mut self, now: Instant, heartbeat: Duration) -> Entry<L> {
        let since = |at: Instant| now.saturating_duration_since(at);
        let is_abandoned = match &self.phase {
            Phase::Idle => true,
            Phase::Connecting { sign } => since(*sign) > SILENT,
            Phase::Refused { since: at } => since(*at) > REFUSED,
            Phase::Standing(standing) if since(standing.sign) > heartbeat * MISSED => true,
            Phase::Standing(standing) if standing.is_doubted || since(standing.confirmed) > heartbeat => false,
            Phase::Standing(standing) => return Entry::Read(standing.number, standing.line.clone()),
        };
        if !is_abandoned {
            return Entry::Not;
        }
        self.keeper += 1;
        Entry::Start(self.keeper, self.connecting(now))
    }

    /// Begins an attempt of this keeper. Returns the number of the line to make; `None` if it is no longer in charge.
    pub(super) fn attempt(&mut self, keeper: u64, now: Instant) -> Option<u64> {
        if self.keeper != keeper || matches!(self.phase, Phase::Refused { .. }) {
            return None;
        }
        self.connecting(now);
        self.lines += 1;
        Some(self.lines)
    }

    /// Notes that the line is there, to a server that was `asked` for its role at that moment. Returns `false` if its
    /// keeper is no longer in charge.
    pub(super) fn stands(&mut self, keeper: u64, number: u64, line: L, (asked, now): (Instant, Instant)) -> bool {
        if self.keeper != keeper {
            return false;
        }
        self.phase = Phase::Standing(Standing { number, line, confirmed: asked, sign: now, is_doubted: false });
        true
    }

    fn standing(&mut self, number: u64) -> Option<&mut Standing<L>> {
        match &mut self.phase {
            Phase::Standing(standing) if standing.number == number => Some(standing),
            _ => None,
        }
    }

    /// The line that stands, if one does.
    pub(super) fn line(&self) -> Option<&L> {
        match &self.phase {
            Phase::Standing(standing) => Some(&standing.line),
            _ => None,
        }
    }

    /// Notes that a question asked at this moment has been answered on the line. Returns `false` if it no longer
    /// stands.
    pub(super) fn confirmed(&mut self, number: u64, asked: Instant) -> bool {
        let standing = self.standing(number);
        if let Some(standing) = standing {
            (standing.confirmed, standing.sign) = (asked, asked);
            standing.is_doubted = false;
            return true;
        }
        false
    }

    /// Notes that an answer is overdue: nobody reads on the line until it is confirmed. Returns the line, if it stands.
    pub(super) fn doubted(&mut self, number: u64) -> Option<L> {
        let standing = self.standing(number)?;
        standing.is_doubted = true;
        Some(standing.line.clone())
    }

    /// Notes that the line has ended: nobody reads on it any more. Returns the line, if it stood.
    pub(super) fn ended(&mut self, number: u64, now: Instant) -> Option<L> {
        self.standing(number)?;
        self.connecting(now)
    }

    /// Notes that the server refuses tracking. Returns `false` if the keeper is no longer in charge.
    pub(super) fn refused(&mut self, keeper: u64, now: Instant) -> bool {
        let is_in_charge = self.keeper == keeper;
        if is_in_charge {
            self.phase = Phase::Refused { since: now };
        }
        is_in_charge
    }

    /// Whether the server refuses for the first time. To be asked each time.
    pub(super) fn is_first_refusal(&mut self) -> bool {
        !std::mem::replace(&mut self.has_been_refused, true)
    }

    /// Notes that nothing that is read on the line can be kept, because this user may not ask what is needed. Returns
    /// the line, if it stood.
    pub(super) fn unusable(&mut self, number: u64, now: Instant) -> Option<L> {
        self.standing(number)?;
        self.replaced(Phase::Refused { since: now })
    }

    /// Notes that the keeper goes. Returns the line, if one stands.
    pub(super) fn leaves(&mut self, keeper: u64) -> Option<L> {
        if self.keeper != keeper || matches!(self.phase, Phase::Refused { .. }) {
            return None;
        }
        self.replaced(Phase::Idle)
    }

    /// Nobody is in charge any more.
    pub(super) fn closed(&mut self) -> Option<L> {
        self.keeper += 1;
        self.replaced(Phase::Idle)
    }

    fn connecting(&mut self, now: Instant) -> Option<L> {
        self.replaced(Phase::Connecting { sign: now })
    }

    fn replaced(&mut self, phase: Phase<L>) -> Option<L> {
        match std::mem::replace(&mut self.phase, phase) {
            Phase::Standing(standing) => Some(standing.line),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEARTBEAT: Duration = Duration::from_secs(2);

    struct Time(Instant);

    impl Time {
        fn at(&self, seconds: u64) -> Instant {
            self.0 + Duration::from_secs(seconds)
        }
    }

    /// A line that stands since second 0, kept by the first keeper.
    fn standing() -> (Contact<&'static str>, Time) {
        let (mut contact, time) = (Contact::new(), Time(Instant::now()));
        assert_eq!(contact.enter(time.at(0), HEARTBEAT), Entry::Start(1, None));
        assert_eq!(contact.enter(time.at(0), HEARTBEAT), Entry::Not);
        assert_eq!(contact.attempt(1, time.at(0)), Some(1));
        assert!(contact.stands(1, 1, "line", (time.at(0), time.at(0))));
        (contact, time)
    }

    #[test]
    fn is_read_on_while_it_stands_and_is_confirmed() {
        let (mut contact, time) = standing();
        assert_eq!(contact.enter(time.at(2), HEARTBEAT), Entry::Read(1, "line"));
        assert_eq!(contact.enter(time.at(3), HEARTBEAT), Entry::Not);
        assert!(contact.confirmed(1, time.at(2)));
        assert_eq!(contact.enter(time.at(4), HEARTBEAT), Entry::Read(1, "line"));
        assert_eq!(contact.ended(1, time.at(4)), Some("line"));
        assert_eq!(contact.ended(1, time.at(4)), None);
        assert_eq!(contact.enter(time.at(4), HEARTBEAT), Entry::Not);
        assert!(!contact.confirmed(1, time.at(4)));
        assert_eq!(contact.attempt(1, time.at(4)), Some(2));
        assert!(contact.stands(1, 2, "another", (time.at(4), time.at(4))));
        assert_eq!(contact.ended(1, time.at(4)), None, "that was the former");
        assert_eq!(contact.enter(time.at(4), HEARTBEAT), Entry::Read(2, "another"));
    }

    #[test]
    fn a_line_that_took_long_to_make_is_confirmed_before_it_is_read_on() {
        let (mut contact, time) = (Contact::new(), Time(Instant::now()));
        assert_eq!(contact.enter(time.at(0), HEARTBEAT), Entry::Start(1, None));
        assert_eq!(contact.attempt(1, time.at(0)), Some(1));
        assert!(contact.stands(1, 1, "line", (time.at(0), time.at(5))));
        assert_eq!(contact.enter(time.at(5), HEARTBEAT), Entry::Not, "its keeper is there");
        assert!(contact.confirmed(1, time.at(5)));
        assert_eq!(contact.enter(time.at(5), HEARTBEAT), Entry::Read(1, "line"));
    }

    #[test]
    fn is_not_read_on_while_it_is_doubted() {
        let (mut contact, time) = standing();
        assert_eq!(contact.doubted(7), None);
        assert_eq!(contact.doubted(1), Some("line"));
        assert_eq!(contact.enter(time.at(1), HEARTBEAT), Entry::Not);
        assert!(contact.confirmed(1, time.at(1)));
        assert_eq!(contact.enter(time.at(1), HEARTBEAT), Entry::Read(1, "line"));
    }

    #[test]
    fn a_keeper_that_gives_no_sign_is_replaced() {
        let (mut contact, time) = standing();
        assert_eq!(contact.enter(time.at(5), HEARTBEAT), Entry::Start(2, Some("line")));
        assert_eq!(contact.attempt(1, time.at(5)), None);
        assert!(!contact.confirmed(1, time.at(5)));
        assert!(!contact.stands(1, 1, "line", (time.at(5), time.at(5))));
        assert!(!contact.refused(1, time.at(5)));
        assert_eq!(contact.leaves(1), None);
        assert_eq!(contact.enter(time.at(9), HEARTBEAT), Entry::Not);
        assert_eq!(contact.enter(time.at(10), HEARTBEAT), Entry::Start(3, None));
        assert_eq!(contact.attempt(3, time.at(14)), Some(2));
        assert_eq!(contact.enter(time.at(18), HEARTBEAT), Entry::Not);
    }

    #[test]
    fn a_keeper_that_goes_is_replaced_at_once() {
        let (mut contact, time) = standing();
        assert_eq!(contact.leaves(1), Some("line"));
        assert_eq!(contact.enter(time.at(0), HEARTBEAT), Entry::Start(2, None));
        assert_eq!(contact.attempt(2, time.at(0)), Some(2));
        assert!(contact.stands(2, 2, "line", (time.at(0), time.at(0))));
        assert_eq!(contact.closed(), Some("line"));
        assert_eq!(contact.attempt(2, time.at(0)), None);
    }

    #[test]
    fn a_server_that_refuses_is_left_alone_for_a_minute() {
        let (mut contact, time) = standing();
        assert!(contact.refused(1, time.at(1)));
        assert!(contact.is_first_refusal());
        assert_eq!(contact.leaves(1), None);
        assert_eq!(contact.enter(time.at(61), HEARTBEAT), Entry::Not);
        assert_eq!(contact.enter(time.at(62), HEARTBEAT), Entry::Start(2, None));
        assert_eq!(contact.attempt(2, time.at(62)), Some(2));
        assert!(contact.stands(2, 2, "line", (time.at(62), time.at(62))));
        assert_eq!(contact.unusable(1, time.at(62)), None);
        assert_eq!(contact.unusable(2, time.at(62)), Some("line"));
        assert!(!contact.is_first_refusal());
        assert_eq!(contact.attempt(2, time.at(62)), None);
        assert_eq!(contact.enter(time.at(100), HEARTBEAT), Entry::Not);
    }
}
