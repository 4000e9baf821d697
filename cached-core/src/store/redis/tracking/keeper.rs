//! The keeper: the task that connects, asks for signs of life, and connects again.
//!
//! # Why an answer confirms that all changes have been told
//! On one connection the server's bytes stay in order. Without BCAST it writes the news of a change into the
//! connection's buffer in the same step that makes the change. So the answer to a question comes after the news of all
//! changes that were made before the server took up the question, which was after it was sent. The client hands on news
//! in the task that reads the socket, before it looks at the answers behind them. The question is for the server's
//! role, since the news of a replica come as late as its primary's data. (With BCAST, news are collected and written
//! later: an answer could overtake them.)

use super::contact::Contact;
use super::line::Line;
use super::news;
use crate::error::StoreError;
use crate::store::redis::fault::classify;
use crate::store::redis::open::{CONNECT_WITHIN, open, settings};
use crate::store::redis::recent::Recent;
use crate::store::watchers::Watchers;
use crate::sync::{Mutex, locked};
use crate::ttl::jittered;
use redis::{Client, PushInfo, PushKind, RedisError};
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};
use tokio::sync::Notify;
use tokio::time::{sleep, timeout, timeout_at};

/// The number of confirmations within the time for which one is good.
const BEATS: u32 = 2;
/// The pause between two attempts grows from the first to the second of these.
const PAUSES: (Duration, Duration) = (Duration::from_millis(50), Duration::from_secs(1));

/// The state that the keeper, readers and the connection itself share. Watchers are told of lost and regained contact
/// and of confirmations while the state is locked, so that they hear of them in order.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) client: Client,
    pub(super) recent: Arc<Recent>,
    pub(super) watchers: Arc<Watchers>,
    pub(super) contact: Mutex<Contact<Line>>,
}

/// The reason why there is no line.
enum Unmade {
    /// The server does not do this, or not for this user.
    Refused(StoreError),
    /// It is out of reach.
    Away,
}

impl From<RedisError> for Unmade {
    fn from(error: RedisError) -> Self {
        classify(&error).into()
    }
}

impl From<StoreError> for Unmade {
    fn from(error: StoreError) -> Self {
        // A server with too many clients says so with the general error code.
        if error.kind.is_outage() || error.to_string().contains("max number of clients") {
            Self::Away
        } else {
            Self::Refused(error)
        }
    }
}

/// Gives up its charge when the task ends, or when it is dropped with its runtime.
struct Charge {
    shared: Arc<Shared>,
    keeper: u64,
}

impl Drop for Charge {
    fn drop(&mut self) {
        self.shared.lose(|contact| contact.leaves(self.keeper));
    }
}

impl Shared {
    /// Ends the line: once `end` has taken it away, nobody reads on it any more; then the watchers are told.
    pub(super) fn lose(&self, end: impl FnOnce(&mut Contact<Line>) -> Option<Line>) {
        let line = {
            let mut contact = locked(&self.contact);
            let line = end(&mut contact);
            if line.is_some() {
                self.watchers.each(|watcher| watcher.lost());
            }
            line
        };
        // This closes the connection, unless somebody still waits for an answer on it.
        if let Some(line) = line {
            line.wake.notify_one();
        }
    }

    pub(super) fn ended(&self, number: u64) {
        self.lose(|contact| contact.ended(number, Instant::now()));
    }

    /// Logs this once.
    pub(super) fn warn(&self, error: &StoreError) {
        if locked(&self.contact).is_first_refusal() {
            tracing::warn!(
                %error,
                "the server does not tell of changes (needs RESP3 and CLIENT TRACKING): there is no near cache"
            );
        }
    }
}

/// Keeps a connection as long as somebody watches and this task is in charge.
pub(super) async fn keep(shared: Arc<Shared>, keeper: u64) {
    let charge = Charge { shared, keeper };
    let shared = &charge.shared;
    let mut pause = PAUSES.0;
    while shared.watchers.heartbeat().is_some()
        && let Some(number) = attempt(shared, keeper)
    {
        match timeout(CONNECT_WITHIN, connect(shared, number)).await.unwrap_or(Err(Unmade::Away)) {
            Ok((line, asked)) => {
                if !stands(shared, keeper, number, line.clone(), asked) {
                    return;
                }
                if beat(shared, number, line).await {
                    pause = PAUSES.0;
                }
            }
            Err(Unmade::Refused(error)) => {
                if locked(&shared.contact).refused(keeper, Instant::now()) {
                    shared.warn(&error);
                }
                return;
            }
            Err(Unmade::Away) => {}
        }
        sleep(jittered(pause, 0.5, getrandom::u64().unwrap_or_default())).await;
        pause = (2 * pause).min(PAUSES.1);
    }
}

fn attempt(shared: &Shared, keeper: u64) -> Option<u64> {
    locked(&shared.contact).attempt(keeper, Instant::now())
}

/// The line, and the moment at which the server was asked for its role.
async fn connect(shared: &Arc<Shared>, number: u64) -> Result<(Line, Instant), Unmade> {
    let (watchers, of) = (Arc::clone(&shared.watchers), Arc::downgrade(shared));
    let settings = settings().set_push_sender(move |push: PushInfo| {
        hear(&watchers, &of, number, &push);
        Ok::<_, ()>(())
    });
    let mut opened = open(&shared.client, &shared.recent, &settings).await?;
    let on = opened.redis.send_packed_command(redis::cmd("CLIENT").arg("TRACKING").arg("ON")).await?;
    on.extract_error()?;
    let line = Line { redis: opened.redis, role: opened.role, wake: Arc::new(Notify::new()) };
    Ok((line, opened.asked.into_std()))
}

/// Hands on news. It runs in the task that reads the socket.
fn hear(watchers: &Watchers, shared: &Weak<Shared>, number: u64, push: &PushInfo) {
    match push.kind {
        PushKind::Invalidate => news::tell(watchers, &push.data),
        PushKind::Disconnection => {
            if let Some(shared) = shared.upgrade() {
                shared.ended(number);
            }
        }
        _ => {}
    }
}

/// Lets readers on the line. `false` if another keeper is in charge by now.
fn stands(shared: &Shared, keeper: u64, number: u64, line: Line, asked: Instant) -> bool {
    let mut contact = locked(&shared.contact);
    let stands = contact.stands(keeper, number, line, (asked, Instant::now()));
    if stands {
        shared.watchers.each(|watcher| watcher.regained());
    }
    stands
}

/// Asks for signs of life until there is none, or the line has ended in another way. Returns whether there was any.
async fn beat(shared: &Shared, number: u64, mut line: Line) -> bool {
    let mut last = None;
    while let Some(heartbeat) = shared.watchers.heartbeat() {
        let asked = Instant::now();
        let until = (last.unwrap_or(asked) + heartbeat).into();
        if !matches!(timeout_at(until, answers(&mut line)).await, Ok(true)) || !confirm(shared, number, asked) {
            break;
        }
        last = Some(asked);
        // The pause ends early if somebody is in doubt, or when the line has ended.
        let _ = timeout_at((asked + heartbeat / BEATS).into(), line.wake.notified()).await;
    }
    shared.ended(number);
    last.is_some()
}

/// Whether the server answers, and has the role that it had when the line was made.
async fn answers(line: &mut Line) -> bool {
    let Some((question, role)) = line.role else {
        // The server does not tell its role. Whatever the answer is, it comes after all news.
        return line.redis.send_packed_command(&redis::cmd("PING")).await.is_ok();
    };
    let told = line.redis.send_packed_command(&question.command()).await.and_then(redis::Value::extract_error);
    told.is_ok_and(|told| question.answer(&told) == Some(role))
}

fn confirm(shared: &Shared, number: u64, asked: Instant) -> bool {
    let mut contact = locked(&shared.contact);
    let stands = contact.confirmed(number, asked);
    if stands {
        shared.watchers.each(|watcher| watcher.confirmed(asked));
    }
    stands
}
