//! One connection: its health, and whether its server is still the primary.
//!
//! `reconnect` replaces a connection that broke.
//!
//! As soon as the last answer about the role is half a second old, the next command takes the question along, in one
//! write. So a connection in use costs the server two short questions a second, and an idle one costs nothing. If the
//! server's last word on its role is older than a second, none of its answers is believed.

use super::home::Home;
use super::open::Opened;
use super::role::{Question, Role};
use crate::error::{FaultKind, StoreError};
use redis::aio::MultiplexedConnection;
use redis::{Cmd, RedisError, Value};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// The age of the last answer at which one caller asks for the role.
const BEAT: Duration = Duration::from_millis(500);
/// The age at which every caller asks for it.
const HEARTBEAT: Duration = Duration::from_secs(1);
/// The number of timeouts in a row after which a connection is given up,
const TIMEOUTS: u32 = 3;
/// if callers have waited for at least this time: some give a command only the few milliseconds that they have left.
const SILENCE: Duration = Duration::from_millis(50);

#[derive(Debug, Clone)]
pub(super) struct Connection {
    redis: MultiplexedConnection,
    life: Arc<Life>,
}

/// The parts of a connection: what sends, and its health.
pub(super) type Parts<'a> = (&'a mut MultiplexedConnection, &'a Arc<Life>);

/// The state that the clones of a connection share. Its address is the identity of the connection.
#[derive(Debug)]
pub(super) struct Life {
    home: Home,
    /// The timeouts since the last answer.
    silence: Mutex<Silence>,
    /// Whether there are timeouts: as long as there are none, no lock is taken.
    is_silent: AtomicBool,
    /// The command by which the server tells its role, and its role at first; `None` if it does not tell.
    role: Option<(Question, Role)>,
    /// The moment before the role was asked for.
    began: Instant,
    /// The last moment at which somebody asked for the role, in milliseconds since `began`.
    asked: AtomicU64,
    /// The moment of the last question that has been answered.
    confirmed: AtomicU64,
}

/// Timeouts in a row.
#[derive(Debug, Default)]
struct Silence {
    timeouts: u32,
    /// The time for which somebody waited.
    waited: Duration,
    /// The moment up to which that is counted.
    until: Option<Instant>,
}

impl Silence {
    /// Notes that an answer has not come in time. Returns whether the connection is to be given up.
    fn goes_on(&mut self, sent: Instant, now: Instant) -> bool {
        let from = self.until.map_or(sent, |until| until.max(sent));
        self.timeouts += 1;
        self.waited += now.saturating_duration_since(from);
        self.until = Some(now);
        self.timeouts >= TIMEOUTS && self.waited >= SILENCE
    }
}

/// The reason why there is no answer to believe.
#[derive(Debug)]
pub(super) enum Unanswered {
    Error(RedisError),
    /// The server is not what it was at first. The command may have been carried out.
    Changed(StoreError),
}

impl From<RedisError> for Unanswered {
    fn from(error: RedisError) -> Self {
        Self::Error(error)
    }
}

impl Connection {
    /// Must be called on the runtime that drives the connection.
    pub(super) fn new(Opened { redis, role, asked }: Opened) -> Self {
        Self { redis, life: Arc::new(Life::new(role, asked)) }
    }

    pub(super) fn life(&self) -> &Arc<Life> {
        &self.life
    }

    pub(super) fn parts(&mut self) -> Parts<'_> {
        (&mut self.redis, &self.life)
    }
}

/// The commands of one write.
#[derive(Debug, Clone, Copy)]
pub(super) enum Sent<'a> {
    One(&'a Cmd),
    /// Reads of one key each. As with MGET, data of another type counts as none.
    All(&'a [Cmd]),
}

impl Sent<'_> {
    fn commands(&self) -> &[Cmd] {
        match self {
            Self::One(command) => std::slice::from_ref(*command),
            Self::All(commands) => commands,
        }
    }

    fn answer(self, mut answers: impl Iterator<Item = Value>) -> Value {
        let or_none = |answer| match answer {
            Value::ServerError(error) if error.code() == "WRONGTYPE" => Value::Nil,
            answer => answer,
        };
        match self {
            Self::One(_) => answers.next().unwrap_or(Value::Nil),
            Self::All(_) => Value::Array(answers.map(or_none).collect()),
        }
    }
}

/// Sends several commands in one write, behind the question for the role if it is to be `asked` now.
pub(super) async fn send_together(
    (redis, life): Parts<'_>,
    sent: Sent<'_>,
    asked: Option<Instant>,
) -> Result<Value, Unanswered> {
    let asked = asked.zip(life.role);
    let mut all = redis::pipe();
    if let Some((_, (question, _))) = asked {
        all.add_command(question.command());
    }
    for command in sent.commands() {
        all.add_command(command.clone());
    }
    let count = usize::from(asked.is_some()) + sent.commands().len();
    let mut answers = redis.send_packed_commands(&all, 0, count).await?.into_iter();
    let Some((now, (question, role))) = asked else { return Ok(sent.answer(answers)) };
    let told = answers.next().unwrap_or(Value::Nil).extract_error();
    let answer = sent.answer(answers);
    if told.ok().and_then(|told| question.answer(&told)) == Some(role) {
        life.confirmed.fetch_max(life.since(now), Ordering::Relaxed);
        return Ok(answer);
    }
    // The answer to a write that a replica refuses says so itself, and the write may be sent again.
    answer.extract_error()?;
    Err(Unanswered::Changed(StoreError::new(FaultKind::NotPrimary, "the server's role has changed")))
}

impl Life {
    /// Notes the role. The answer is as old as the question.
    fn new(role: Option<(Question, Role)>, asked: Instant) -> Self {
        Self {
            home: Home::here(),
            silence: Mutex::default(),
            is_silent: AtomicBool::new(false),
            role,
            began: asked,
            asked: AtomicU64::new(0),
            confirmed: AtomicU64::new(0),
        }
    }

    pub(super) fn home(&self) -> &Home {
        &self.home
    }

    pub(super) fn is_of_cluster(&self) -> bool {
        self.role.is_some_and(|(_, role)| role.is_cluster)
    }

    fn silence(&self) -> MutexGuard<'_, Silence> {
        self.silence.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes that an answer has come.
    pub(super) fn answered(&self) {
        if self.is_silent.load(Ordering::Relaxed) {
            let mut silence = self.silence();
            *silence = Silence::default();
            self.is_silent.store(false, Ordering::Relaxed);
        }
    }

    /// Notes that an answer to what was sent then has not come in time. Returns whether that was once too often.
    pub(super) fn timed_out(&self, sent: Instant, now: Instant) -> bool {
        let mut silence = self.silence();
        self.is_silent.store(true, Ordering::Relaxed);
        silence.goes_on(sent, now)
    }

    /// Whether the connection was made before the last heartbeat.
    pub(super) fn is_old(&self) -> bool {
        self.began.elapsed() > HEARTBEAT
    }

    /// Whether this caller has to ask for the role.
    pub(super) fn is_due(&self, now: Instant) -> bool {
        self.role.is_some() && is_due(&self.asked, self.confirmed.load(Ordering::Relaxed), self.since(now))
    }

    fn since(&self, now: Instant) -> u64 {
        u64::try_from(now.saturating_duration_since(self.began).as_millis()).unwrap_or(u64::MAX)
    }
}

/// All times in milliseconds.
#[expect(clippy::cast_possible_truncation, reason = "constants of a second at most")]
fn is_due(asked: &AtomicU64, confirmed: u64, now: u64) -> bool {
    const BEAT_MS: u64 = BEAT.as_millis() as u64;
    const HEARTBEAT_MS: u64 = HEARTBEAT.as_millis() as u64;
    if now < confirmed.saturating_add(BEAT_MS) {
        return false;
    }
    // The caller that asked may be gone, or its runtime may stand still.
    if now >= confirmed.saturating_add(HEARTBEAT_MS) {
        return true;
    }
    let last = asked.load(Ordering::Relaxed);
    let is_asked = now < last.saturating_add(BEAT_MS);
    !is_asked && asked.compare_exchange(last, now, Ordering::Relaxed, Ordering::Relaxed).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn the_role_is_as_old_as_the_question_for_it() {
        let asked = Instant::now();
        let role = Question::Role.answer(&Value::Array(vec![Value::BulkString("master".into())])).unwrap();
        // Removing again what was removed lately takes its time.
        tokio::time::advance(HEARTBEAT).await;
        let life = Life::new(Some((Question::Role, role)), asked);
        assert!(life.is_due(Instant::now()) && life.is_due(Instant::now()), "every caller asks");
    }

    #[test]
    fn a_connection_is_given_up_after_some_timeouts_that_took_some_time() {
        let (start, ms) = (Instant::now(), Duration::from_millis);
        let silent = |waits: &[(u64, u64)]| {
            let mut silence = Silence::default();
            waits.iter().map(|(sent, until)| silence.goes_on(start + ms(*sent), start + ms(*until))).collect::<Vec<_>>()
        };
        assert_eq!(silent(&[(0, 100), (100, 200), (200, 300)]), [false, false, true]);
        assert_eq!(silent(&[(0, 100), (1, 101), (2, 102)]), [false, false, true], "side by side");
        assert_eq!(silent(&[(0, 3), (0, 3), (1, 4), (1, 4)]), [false; 4], "none of them had time");
        let short: Vec<_> = (0..20).map(|n| (1000 * n, 1000 * n + 3)).collect();
        assert_eq!(silent(&short).iter().position(|is_over| *is_over), Some(16), "but none of them was answered");
    }

    #[test]
    fn one_caller_asks_in_time_and_everybody_when_it_is_late() {
        let asked = AtomicU64::new(0);
        assert!(!is_due(&asked, 0, 499));
        assert!(is_due(&asked, 0, 500));
        assert!(!is_due(&asked, 0, 501), "somebody asks already");
        assert!(!is_due(&asked, 500, 999), "the answer was there");
        assert!(is_due(&asked, 0, 1000) && is_due(&asked, 0, 1001), "the answer is late");
        assert!(is_due(&asked, 500, 1000));
        assert!(!is_due(&asked, 500, 1499));
        assert!(is_due(&asked, 500, 1500) && is_due(&asked, 500, 1500));
    }
}
