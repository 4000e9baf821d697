//! The model's steps as plain calls of the store: what the scripts alone must keep, with the smallest possible client
//! on top of them.
//!
//! For runs of callers that do not share. Values past their end are in [`ahead`], those that are set by hand in [`set`],
//! forced refreshes in [`forced`].
//! This differs from [the engine's table](super::engine) where the engine has no such step: a refresh is stored with
//! FILL if the value that it saw still stands there; ACQUIRE and TAG are sent again, each with an id of its own, when
//! their connection broke; a caller that loads for itself reads the database at once.

#[path = "ahead.rs"]
mod ahead;
#[path = "forced.rs"]
mod forced;
#[path = "set.rs"]
mod set;

use super::desk::Command;
use super::foreign::{Foreign, Ground};
use super::gate::FOR_EVER;
use super::row::{ENTRY, NAMESPACE, REFRESH_LEASE, TAG};
use bytes::Bytes;
use cached_core::store::{
    Acquire, Acquired, Begin, Each, End, Fill, GetAll, Head, Key, Release, RemoveAll, Replace, TagAll, Written,
};
use std::collections::BTreeMap;
use std::time::Duration;
use tests::model::{Action, Plan, Register, Tags, Task, Variant, Way};

const WITHIN: Duration = Duration::from_secs(20);

/// A value as it stands in Redis: its head, the tag's stamp, the version.
#[derive(Debug, Clone)]
struct Value(Bytes);

impl Value {
    fn new(head: Head, tag: Option<Head>, version: u8) -> Self {
        let tag = tag.map_or([0; Head::LEN].to_vec(), |tag| tag.as_bytes().to_vec());
        Self([head.as_bytes(), &tag[..], &[version][..]].concat().into())
    }

    fn of(register: &Bytes) -> Option<Self> {
        (register.first() == Some(&b'V') && register.len() == 2 * Head::LEN + 1).then(|| Self(register.clone()))
    }

    fn tag(&self) -> &[u8] {
        &self.0[Head::LEN..2 * Head::LEN]
    }

    fn version(&self) -> u8 {
        self.0[2 * Head::LEN]
    }
}

/// The way from ACQUIRE to FILL.
#[derive(Debug, Default)]
struct Loader {
    /// The head that FILL expects: that of the lease, or of the value that is refreshed.
    expected: Option<Head>,
    replace: Option<Replace>,
    tag: Option<Head>,
    namespace: Option<Head>,
    version: u8,
    /// The value past its end that is loaded over.
    hand: Option<Value>,
    refresh_lease: Option<Head>,
    /// A forced refresh, and the version that the database had when it began.
    forced: Option<u8>,
    /// Another caller writes, so nothing is stored.
    is_barred: bool,
    is_asked: bool,
}

#[derive(Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
struct Writer {
    plan: Plan,
    name: Head,
    is_begun: bool,
    is_crashed: bool,
    is_lapsed: bool,
    is_complete: bool,
    may_send_token: bool,
    version: Option<u8>,
    tag: Option<Head>,
}

pub(crate) struct Player {
    variant: Variant,
    foreign: Foreign,
    ids: u8,
    version: u8,
    completed: u8,
    /// The floor of each reader's call, while it runs.
    calls: [Option<u8>; 3],
    loaders: [[Loader; 2]; 3],
    writers: [Option<Writer>; 2],
    late: Vec<Option<Command>>,
    /// The tag's stamp for the value that is set by hand.
    set_tag: Option<Head>,
    pub(crate) taken: BTreeMap<&'static str, usize>,
    pub(crate) stale: Vec<String>,
    pub(crate) log: Vec<String>,
}

/// Replays a run with plain calls.
pub(crate) async fn replay(ground: Ground, variant: &Variant, run: &[Action]) -> Player {
    let mut player = Player::new(ground, variant).await;
    for (at, action) in run.iter().enumerate() {
        player.log.push(action.to_string());
        match action {
            Action::RefreshLease(task) if player.loader(*task).forced.is_some() => {
                player.force_by_ticket(*task, &run[at..]).await;
            }
            _ => player.act(*action).await,
        }
        player.grace().await;
        player.peek("another process").await;
    }
    player.log.push("the run is over".into());
    player.finish().await;
    player
}

impl Player {
    async fn new(ground: Ground, variant: &Variant) -> Self {
        let mut player = Self {
            variant: *variant,
            foreign: Foreign::start(ground).await,
            ids: 0,
            version: 0,
            completed: 0,
            calls: [None; 3],
            loaders: Default::default(),
            writers: [None, None],
            late: Vec::new(),
            set_tag: None,
            taken: BTreeMap::new(),
            stale: Vec::new(),
            log: Vec::new(),
        };
        for (at, plan) in variant.writers.iter().enumerate() {
            let Some(plan) = *plan else { continue };
            let name = player.id(b'L');
            player.writers[at] = Some(Writer {
                plan,
                name,
                is_begun: false,
                is_crashed: false,
                is_lapsed: false,
                is_complete: false,
                may_send_token: true,
                version: None,
                tag: None,
            });
        }
        player
    }

    /// A head that was never used.
    fn id(&mut self, kind: u8) -> Head {
        self.ids += 1;
        let mut head = [self.ids; Head::LEN];
        head[0] = kind;
        Head::from_bytes(&head).expect("a head")
    }

    fn took(&mut self, what: &'static str) {
        *self.taken.entry(what).or_default() += 1;
        self.log.push(format!("    {what}"));
    }

    fn loader(&mut self, task: Task) -> &mut Loader {
        &mut self.loaders[usize::from(task.process)][usize::from(task.refresh)]
    }

    /// The value under the key, if its tag is unchanged; otherwise what may be replaced.
    async fn look(&self) -> Result<Value, Option<Replace>> {
        let keys = [Key::from(ENTRY), Key::from(TAG)];
        let registers =
            self.foreign.store.get_all(GetAll::new(&keys, WITHIN)).await.and_then(Each::whole).expect("GET");
        let Some(value) = registers[0].as_ref().and_then(Value::of) else { return Err(None) };
        let tag = registers[1].as_deref().unwrap_or_default();
        if self.variant.tags == Tags::None || tag == value.tag() {
            return Ok(value);
        }
        Err(Some(Replace::unusable(&value.0)))
    }

    fn judge(&mut self, who: &str, version: u8, floor: u8) {
        self.log.push(format!("    {who} read v{version}, at least v{floor}"));
        if version < floor {
            self.stale.push(format!("{who} read v{version} though v{floor} was complete when it began"));
        }
    }

    async fn peek(&mut self, who: &str) {
        if let Ok(value) = self.look().await {
            self.judge(who, value.version(), self.completed);
        }
    }

    fn returns(&mut self, reader: u8, version: u8) {
        if let Some(floor) = self.calls[usize::from(reader)].take() {
            self.judge(&format!("reader {reader}"), version, floor);
        }
    }

    async fn act(&mut self, action: Action) {
        match action {
            Action::Get(reader) => self.get(reader, false).await,
            Action::GetAndRefresh(reader) if self.variant.refresh_lease => self.claim(reader).await,
            Action::GetAndRefresh(reader) => self.get(reader, true).await,
            Action::GetStale(reader) => self.get_stale(reader).await,
            Action::Serve(reader) => self.serve(reader),
            Action::RefreshLease(task) => self.refresh_lease(task).await,
            Action::Look(task) => self.look_again(task).await,
            Action::Fail(task) => {
                self.serve(task.process);
                *self.loader(task) = Loader::default();
            }
            Action::LoadAlone(reader) => {
                self.loaders[usize::from(reader)][0] = Loader::default();
                self.returns(reader, self.version);
            }
            Action::Acquire(task) => self.acquire(task).await,
            Action::Force(reader) => self.force(reader),
            Action::Takeover(task) => self.take_over(task).await,
            Action::Tag(task) => self.tag(task).await,
            Action::Select(task) => self.select(task).await,
            Action::TagsOfValue(task) => self.tags_of_value(task).await,
            Action::Fill(task) => self.fill(task).await,
            Action::Remove(task) => self.remove(task).await,
            Action::BreakAcquire(_) | Action::BreakTag(_) | Action::BreakFill(_) => self.break_load(action),
            Action::Late(number) => {
                if let Some(command) = self.late.get_mut(usize::from(number)).and_then(Option::take) {
                    self.foreign.carry_out(command).await;
                    self.took("late command");
                }
            }
            Action::SetTag | Action::Set | Action::BreakSet => self.act_by_hand(action).await,
            Action::Expire(register, writer) => self.expire(register, writer).await,
            Action::Evict(register) => {
                if let Some(register) = registers(register).first()
                    && self.foreign.evict(register).await
                {
                    self.took("eviction");
                }
            }
            Action::Restart => {
                self.foreign.empty().await;
                self.took("restart");
                self.writers.iter_mut().flatten().for_each(|writer| writer.is_lapsed |= writer.version.is_none());
            }
            Action::Begin(writer)
            | Action::PutTag(writer)
            | Action::Commit(writer)
            | Action::Unlink(writer)
            | Action::End(writer)
            | Action::Crash(writer)
            | Action::BreakWrite(writer) => {
                let Some(mut this) = self.writers[usize::from(writer)].take() else { return };
                self.act_of_writer(&mut this, action).await;
                self.writers[usize::from(writer)] = Some(this);
            }
            // Done at once by the read before, or steps of callers that share.
            _ => {}
        }
    }

    async fn get(&mut self, reader: u8, refreshes: bool) {
        self.returns(reader, self.version);
        self.calls[usize::from(reader)] = Some(self.completed);
        self.took("call");
        match self.look().await {
            Ok(value) => {
                self.returns(reader, value.version());
                if refreshes {
                    let expected = Head::from_bytes(&value.0);
                    self.loaders[usize::from(reader)][1] = Loader { expected, is_asked: true, ..Loader::default() };
                }
            }
            Err(replace) => self.loaders[usize::from(reader)][0] = Loader { replace, ..Loader::default() },
        }
    }

    async fn acquire(&mut self, task: Task) {
        let lease = self.id(b'L');
        let replace = self.loader(task).replace.take().unwrap_or(Replace::Nothing);
        let answer =
            self.foreign.store.acquire(Acquire::new(&ENTRY.into(), lease, FOR_EVER, WITHIN).replacing(replace)).await;
        self.took("ACQUIRE");
        let loader = self.loader(task);
        loader.is_asked = true;
        match answer.expect("ACQUIRE") {
            Acquired::Granted => loader.expected = Some(lease),
            Acquired::Writing | Acquired::Leased(_) => loader.is_barred = true,
            Acquired::Value(_) => {
                loader.is_barred = true;
                if let Ok(value) = self.look().await {
                    self.returns(task.process, value.version());
                }
            }
            other => panic!("an answer that the model does not know: {other:?}"),
        }
    }

    /// TAG of this register; `None` if there is a write in progress.
    async fn stamp(&mut self, register: &str) -> Option<Head> {
        let fresh = self.id(b'V');
        let stamps = self.foreign.store.tag(TagAll::new(&[register.into()], fresh, FOR_EVER, WITHIN)).await;
        self.took("TAG");
        stamps.and_then(Each::whole).expect("TAG")[0]
    }

    async fn tag(&mut self, task: Task) {
        let is_named = self.variant.tags == Tags::FromValue;
        let stamp = self.stamp(if is_named { NAMESPACE } else { TAG }).await;
        let loader = self.loader(task);
        loader.is_barred |= stamp.is_none();
        if is_named { loader.namespace = stamp } else { loader.tag = stamp }
    }

    /// The load, after all that must precede it.
    async fn select(&mut self, task: Task) {
        if !self.loader(task).is_asked {
            match self.loader(task).forced {
                Some(_) => self.take_over(task).await,
                None => self.acquire(task).await,
            }
        }
        let loader = self.loader(task);
        let needs_tag = loader.tag.is_none() && loader.namespace.is_none() && !loader.is_barred;
        if needs_tag && self.variant.tags != Tags::None {
            self.tag(task).await;
        }
        self.loader(task).version = self.version;
        self.took("SELECT");
        if !task.refresh || self.variant.refresh_lease {
            self.returns(task.process, self.version);
        }
        if self.loader(task).is_barred {
            self.complete_forced(task, true);
        }
    }

    async fn tags_of_value(&mut self, task: Task) {
        if self.variant.tags != Tags::FromValue {
            return;
        }
        let (tag, namespace) = (self.stamp(TAG).await, self.stamp(NAMESPACE).await);
        let loader = self.loader(task);
        loader.is_barred |= tag.is_none() || namespace.is_none() || namespace != loader.namespace;
        loader.tag = tag;
    }

    /// The FILL to send, always with a stamp that was never used.
    fn filling(&mut self, task: Task) -> Option<Command> {
        let head = self.id(b'V');
        let loader = self.loader(task);
        let expected = loader.expected.filter(|_| !loader.is_barred)?;
        let value = Value::new(head, loader.tag, loader.version).0;
        Some(Command::Fill { key: ENTRY.into(), expected, value, ttl: FOR_EVER })
    }

    /// Nothing is stored: the value that was loaded over ends.
    async fn remove(&mut self, task: Task) {
        if let Some(Command::Fill { key, expected, .. }) = self.filling(task) {
            let removed = self.foreign.store.release(Release::new(&key, expected, WITHIN)).await.expect("RELEASE");
            self.took(if removed { "RELEASE of a value" } else { "RELEASE of a value, refused" });
            self.complete_forced(task, removed);
        }
        self.release(task).await;
        *self.loader(task) = Loader::default();
    }

    async fn fill(&mut self, task: Task) {
        let mut is_stored = true;
        if let Some(Command::Fill { key, expected, value, ttl }) = self.filling(task) {
            is_stored = self.foreign.store.fill(Fill::new(&key, expected, value, ttl, WITHIN)).await.expect("FILL");
            self.took(if is_stored { "FILL" } else { "FILL, refused" });
        }
        self.complete_forced(task, is_stored);
        self.release(task).await;
        *self.loader(task) = Loader::default();
    }

    fn break_load(&mut self, action: Action) {
        let (lease, fresh) = (self.id(b'L'), self.id(b'V'));
        let register = if self.variant.tags == Tags::FromValue { NAMESPACE } else { TAG };
        let lost = match action {
            Action::BreakAcquire(task) if self.loader(task).forced.is_some() => Some(self.lost_takeover()),
            Action::BreakAcquire(_) => {
                Some(Command::Acquire { key: ENTRY.into(), lease, ttl: FOR_EVER, replace: Replace::Nothing })
            }
            Action::BreakTag(_) => Some(Command::Tag { tags: vec![register.into()], fresh, ttl: FOR_EVER }),
            Action::BreakFill(task) => self.filling(task),
            _ => None,
        };
        self.took("break");
        self.late.push(lost);
    }

    async fn act_of_writer(&mut self, this: &mut Writer, action: Action) {
        let keys = keys(this.plan);
        match action {
            Action::Begin(_) => {
                let token = this.plan.way == Way::Put && !this.is_begun && this.may_send_token;
                self.foreign.marks.begins(this.name, &keys);
                self.foreign
                    .store
                    .begin(Begin::new(this.name, &keys, FOR_EVER, WITHIN).with_token(token))
                    .await
                    .and_then(Each::whole)
                    .expect("BEGIN");
                this.is_begun = true;
                self.took("BEGIN");
            }
            Action::PutTag(_) => this.tag = self.stamp(TAG).await,
            Action::Commit(_) => {
                self.version += 1;
                this.version = Some(self.version);
                self.took("COMMIT");
            }
            Action::Unlink(_) => {
                let removed = self.foreign.store.remove_all(RemoveAll::new(&keys, WITHIN)).await;
                removed.and_then(Each::whole).expect("UNLINK");
                self.took("UNLINK");
                self.completes(this);
            }
            Action::End(_) => {
                let written = self.written(this);
                self.foreign.marks.ends(this.name, &written);
                let ended = self.foreign.store.end(End::new(this.name, &written, WITHIN)).await.expect("END");
                ended.keys.whole().expect("END");
                self.took(if ended.put { "END with a value" } else { "END" });
                self.completes(this);
            }
            Action::Crash(_) => this.is_crashed = true,
            _ => self.break_write(this),
        }
    }

    /// The value that END leaves, if the writer puts and has the stamp of its tag.
    fn written(&mut self, this: &Writer) -> Vec<Written> {
        let head = self.id(b'V');
        let may_put = this.plan.way == Way::Put && (self.variant.tags == Tags::None || this.tag.is_some());
        let value = this.version.filter(|_| may_put).map(|version| (Value::new(head, this.tag, version).0, FOR_EVER));
        let written = keys(this.plan).into_iter().map(|key| match value.clone().filter(|_| &*key == ENTRY) {
            Some((value, ttl)) => Written::value(key, value, ttl),
            None => Written::nothing(key),
        });
        written.collect()
    }

    fn break_write(&mut self, this: &mut Writer) {
        let (writer, keys, puts) = (this.name, keys(this.plan), this.plan.way == Way::Put);
        let lost = match (this.plan.way, this.version) {
            (Way::Bracket | Way::Put, Some(_)) => Command::End { writer, written: self.written(this) },
            (Way::Bracket | Way::Put, None) => {
                let token = puts && !this.is_begun && std::mem::replace(&mut this.may_send_token, false);
                Command::Begin { writer, keys, token }
            }
            _ => Command::RemoveAll { keys },
        };
        self.took("break");
        self.late.push(Some(lost));
    }

    fn completes(&mut self, this: &mut Writer) {
        if let Some(version) = this.version {
            this.is_complete = true;
            self.completed = self.completed.max(version);
            self.log.push(format!("    v{version} is complete"));
        }
    }

    async fn expire(&mut self, register: Register, writer: u8) {
        let Some(mut this) = self.writers[usize::from(writer)].take() else { return };
        for register in registers(register) {
            if self.foreign.expire_marker(register, this.name).await {
                self.took("expiry");
                this.is_lapsed |= this.version.is_none();
            }
        }
        self.writers[usize::from(writer)] = Some(this);
    }

    /// A bracket whose writer has crashed is complete once its markers are gone, if they were there at the commit.
    async fn grace(&mut self) {
        for at in 0..self.writers.len() {
            let Some(mut this) = self.writers[at].take() else { continue };
            if this.is_crashed && this.is_begun && !this.is_lapsed && !this.is_complete {
                let mut is_marked = false;
                for key in keys(this.plan) {
                    is_marked |= self.foreign.is_marked(&key, this.name).await;
                }
                if !is_marked {
                    self.completes(&mut this);
                }
            }
            self.writers[at] = Some(this);
        }
    }

    async fn finish(&mut self) {
        for reader in 0..3 {
            self.returns(reader, self.version);
        }
        for writer in 0..2 {
            if self.writers[usize::from(writer)].as_ref().is_some_and(|writer| writer.is_crashed) {
                for register in [Register::Entry, Register::Tag] {
                    self.expire(register, writer).await;
                }
            }
        }
        self.grace().await;
        self.peek("the last look").await;
    }
}

/// The registers that a writer touches.
fn keys(plan: Plan) -> Vec<Key> {
    let entry = plan.entry.then_some(ENTRY);
    let tags = plan.tag.then_some([TAG, NAMESPACE]);
    entry.into_iter().chain(tags.into_iter().flatten()).map(Key::from).collect()
}

/// The keys of a register of the model. Every write of the tag is also one of the namespace.
fn registers(register: Register) -> &'static [&'static str] {
    match register {
        Register::Entry => &[ENTRY],
        Register::Tag => &[TAG, NAMESPACE],
        Register::Namespace => &[NAMESPACE],
        Register::Lock | Register::Beside(_) => &[],
        Register::RefreshLease => &[REFRESH_LEASE],
    }
}
