//! Two builds that cannot read each other's values. The first to come stores under the entry's key, the *base*. The
//! other build stores its entry *beside* it, with the head that the base had before the load.
//!
//! Writers know only the base. To an entry beside it, the base is what a tag is: it is read before the load in a step
//! that is announced together with ACQUIRE, compared in every read, and read once more beside FILL if callers share.
//! But no reader creates it: if it is gone, or has become a value that this build can read, the call begins again
//! there.
//!
//! The lease of the other build's load is a base too: the value that is filled in its place has its bits, so a call
//! that goes beside that load does not wait for it. It may do so nevertheless, at any time and for any reason. A lease
//! says whose load it is for; a writer's token, which looks like one, is nobody's.

use super::World;
use super::action::{Action, Task};
use super::coverage::Event;
use super::state::{Ask, B, Base, Call, Cell, E, Id, Loader, NOBODY, Value};
use super::variant::Flaw;

impl World<'_> {
    /// The register that a build reads first.
    pub(super) fn home(&self, process: usize) -> usize {
        if self.variant.has(Flaw::OwnEntries) { self.beside(process) } else { E }
    }

    fn beside(&self, process: usize) -> usize {
        match self.variant.build(process) {
            // If each build has its own entry, the first build has the one that writers know.
            0 if self.variant.has(Flaw::OwnEntries) => E,
            build => B + usize::from(build),
        }
    }

    pub(super) fn build(&self, task: Task) -> u8 {
        self.variant.build(usize::from(task.process))
    }

    /// The register for which a task loads.
    pub(super) fn register(&self, task: Task) -> u8 {
        let process = usize::from(task.process);
        let aside = self.state.loaders[process][usize::from(task.refresh)].aside;
        Self::number(if aside { self.beside(process) } else { self.home(process) })
    }

    /// The build for whose load a task asks for a lease, as others see it.
    pub(super) fn purpose(&self, task: Task) -> u8 {
        if usize::from(self.register(task)) == E { self.build(task) } else { NOBODY }
    }

    /// The lease under which another build loads the future base; the base will have this head.
    pub(super) fn others_lease(&self, build: u8) -> Option<Id> {
        match self.state.cells[E] {
            _ if !self.variant.builds || self.variant.has(Flaw::OwnEntries) => None,
            Cell::Lease(id, by) if by != NOBODY && by != build => Some(id),
            Cell::Token(id) if self.variant.has(Flaw::BesideToken) => Some(id),
            _ => None,
        }
    }

    /// Whether a process may wait for the load of another build, instead of going beside its lease. ACQUIRE of an entry
    /// that is being written shows no lease.
    pub(super) fn can_wait(&self, process: usize) -> bool {
        self.others_lease(self.variant.build(process)).is_some() && !self.is_marked(E)
    }

    pub(super) fn get_and_wait(&mut self, reader: usize) {
        self.note(Event::WaitedForOther);
        self.begins(reader);
        self.missed(reader, 0);
    }

    /// ACQUIRE that finds a lease changes nothing. It comes again.
    pub(super) fn acquire_and_wait(&mut self, task: Task) {
        self.note(Event::WaitedForOther);
        self.ask(task);
    }

    /// The base, for a build that stores beside it.
    fn base(&self, build: u8) -> Base {
        match self.state.cells[E] {
            Cell::Value(value) if value.build != build => Base::Head(value.stamp),
            Cell::Nothing if self.variant.has(Flaw::BesideNothing) => Base::Head(0),
            _ => self.others_lease(build).map_or(Base::Gone, Base::Head),
        }
    }

    /// Whether the value is valid beside a base with this head.
    fn stands_beside(&self, value: Value, base: Id) -> bool {
        value.base == base || self.variant.has(Flaw::BaseNotRecorded)
    }

    pub(super) fn can_begin_aside(&self, process: usize) -> bool {
        let is_own = self.variant.builds && !self.variant.has(Flaw::OwnEntries);
        is_own && matches!(self.state.cells[self.beside(process)], Cell::Value(_))
    }

    pub(super) fn offer_aside(&self, reader: u8, actions: &mut Vec<Action>) {
        let process = self.variant.process(usize::from(reader));
        match self.state.readers[usize::from(reader)].call {
            Call::Aside(base) => {
                actions.push(Action::GetBeside(reader));
                if self.may_refresh(process) && self.finds_beside(process, base).is_some() {
                    actions.push(Action::GetBesideAndRefresh(reader));
                }
            }
            Call::Under(_) => actions.push(Action::GetBase(reader)),
            _ => {}
        }
    }

    /// The value beside a base with this head, if it is usable.
    fn finds_beside(&self, process: usize, base: Id) -> Option<Value> {
        match self.state.cells[self.beside(process)] {
            Cell::Value(value) if self.stands_beside(value, base) && self.is_current(value) => Some(value),
            _ => None,
        }
    }

    /// The call has found another build's value, and reads beside it.
    pub(super) fn get_beside(&mut self, reader: usize, refresh: bool) {
        let Call::Aside(base) = self.state.readers[reader].call else { return };
        let process = self.variant.process(reader);
        if let Some(value) = self.finds_beside(process, base) {
            self.hits_beside(reader, value);
            if refresh {
                self.start_refresh(process, value.stamp, Base::Head(base));
            }
        } else if let Cell::Value(value) = self.state.cells[self.beside(process)] {
            self.is_of_no_use(reader, value, base);
        } else {
            self.missed_aside(reader, 0, base);
        }
    }

    /// A call begins, and reads what stands beside the base before the base.
    pub(super) fn get_beside_first(&mut self, reader: usize) {
        let process = self.variant.process(reader);
        let Cell::Value(value) = self.state.cells[self.beside(process)] else { return };
        self.begins(reader);
        self.state.readers[reader].call = Call::Under(value);
    }

    pub(super) fn get_base(&mut self, reader: usize) {
        let Call::Under(value) = self.state.readers[reader].call else { return };
        match self.base(self.variant.build(self.variant.process(reader))) {
            Base::Head(base) if self.stands_beside(value, base) && self.is_current(value) => {
                self.hits_beside(reader, value);
            }
            Base::Head(base) => self.is_of_no_use(reader, value, base),
            Base::Gone | Base::Unread => self.get_entry(reader, false),
        }
    }

    fn hits_beside(&mut self, reader: usize, value: Value) {
        self.note(Event::Hit);
        self.note(Event::HitBeside);
        if !matches!(self.state.cells[E], Cell::Value(_)) {
            self.note(Event::HitBesideLoad);
        }
        self.returns(reader, value.version);
    }

    fn is_of_no_use(&mut self, reader: usize, value: Value, base: Id) {
        self.note(if value.base == base { Event::TagChanged } else { Event::BaseChanged });
        self.missed_aside(reader, value.stamp, base);
    }

    pub(super) fn missed_aside(&mut self, reader: usize, unusable: Id, base: Id) {
        self.misses(reader, Call::MissedAside(unusable, base));
    }

    /// The second read: what stands beside the base.
    pub(super) fn look_beside(&mut self, task: Task) {
        let found = self.state.cells[usize::from(self.register(task))];
        self.loader(task).ask = if let Cell::Value(value) = found { Ask::Found(value) } else { Ask::Gone };
        self.decide(task);
    }

    /// The base, in the same read.
    pub(super) fn read_base(&mut self, task: Task) {
        let now = self.base(self.build(task));
        self.loader(task).now = now;
        self.decide(task);
    }

    /// Decides between the base and the entry beside it. Returns whether nothing else is to be decided now.
    pub(super) fn turns_aside(&mut self, task: Task) -> bool {
        let (build, loader) = (self.build(task), *self.loader(task));
        match loader.ask {
            Ask::Found(value) if !loader.aside && value.build != build => {
                self.begins_at(task, Base::Head(value.stamp));
                true
            }
            Ask::Leased if !loader.aside => match self.others_lease(build) {
                Some(id) => {
                    self.begins_at(task, Base::Head(id));
                    true
                }
                None => false,
            },
            _ if !loader.aside => false,
            _ if loader.looks => self.judges_look(task),
            Ask::Found(value) if self.variant.has(Flaw::KeptBase) => self.judges_found(task, value),
            Ask::Found(_) | Ask::Leased => {
                self.looks_again(task);
                true
            }
            _ => false,
        }
    }

    /// All who joined before ACQUIRE was announced may share what it finds, but the base was read before that. So both
    /// are read once more.
    fn looks_again(&mut self, task: Task) {
        self.ask(task);
        let loader = self.loader(task);
        (loader.looks, loader.now) = (true, Base::Unread);
    }

    fn judges_look(&mut self, task: Task) -> bool {
        let loader = *self.loader(task);
        match (loader.now, loader.ask) {
            (Base::Unread, _) | (_, Ask::Unasked) => true,
            (now, _) if now != loader.base => {
                self.note(Event::BaseGone);
                self.begins_at(task, Base::Gone);
                true
            }
            (_, Ask::Found(value)) => self.judges_found(task, value),
            _ => {
                self.ask(task);
                true
            }
        }
    }

    fn judges_found(&mut self, task: Task, value: Value) -> bool {
        let is_other = match self.loader(task).base {
            Base::Head(base) => !self.stands_beside(value, base),
            Base::Unread | Base::Gone => true,
        };
        if is_other {
            self.note(Event::BaseChanged);
            self.replaces(task, value.stamp);
        }
        is_other
    }

    /// ACQUIRE comes next: beside the base that was seen there, or of the entry itself.
    fn begins_at(&mut self, task: Task, seen: Base) {
        let loader = self.loader(task);
        (loader.aside, loader.replace, loader.base) = (seen != Base::Gone, 0, seen);
        self.ask(task);
    }

    /// Reads the base's head right before FILL, in the variant that records that head.
    pub(super) fn read_base_late(&mut self, task: Task) {
        if self.loader(task).aside && self.variant.has(Flaw::BaseAfterLoad) {
            let base = self.base(self.build(task));
            self.loader(task).base = base;
        }
    }

    pub(super) fn needs_base_again(&self, loader: &Loader) -> bool {
        loader.aside && !self.variant.has(Flaw::ProofWithoutBase)
    }

    pub(super) fn base_again(&mut self, task: Task) {
        let (base, build) = (self.loader(task).base, self.build(task));
        let is_still = self.base(build) == base;
        self.loader(task).still = Some(is_still);
    }
}
