//! The way from ACQUIRE to FILL, and who may share the loaded value.

use super::action::{Action, Task};
use super::coverage::Event;
use super::state::{Ask, Base, Call, Cell, Id, Loader, Mark, NOBODY, R, StalledFlight, Step, T, U, Value};
use super::variant::{Flaw, Tags};
use super::{Rule, World};

impl World<'_> {
    pub(super) fn loader(&mut self, task: Task) -> &mut Loader {
        &mut self.state.loaders[usize::from(task.process)][usize::from(task.refresh)]
    }

    /// Whether other callers of the process may follow.
    pub(super) fn is_shared(&self, task: Task) -> bool {
        self.variant.shares && task.process == 0 && !task.refresh || self.is_forced_flight(task)
    }

    /// The register that TAG reads before the load.
    pub(super) fn tag_before_load(&self) -> Option<usize> {
        match self.variant.tags {
            Tags::Known if !self.variant.has(Flaw::TagAfterLoad) => Some(T),
            Tags::FromValue if !self.variant.has(Flaw::NoNamespaceRegister) => Some(U),
            _ => None,
        }
    }

    fn mark_before_load(&self, loader: &Loader) -> Mark {
        match self.tag_before_load() {
            Some(T) => loader.tag,
            Some(_) => loader.space,
            None => Mark::Stamp(0),
        }
    }

    fn reads_tags_after_load(&self) -> bool {
        self.variant.tags == Tags::FromValue || self.variant.has(Flaw::TagAfterLoad)
    }

    fn needs_tags_again(&self) -> bool {
        self.variant.tags != Tags::None && !self.variant.has(Flaw::ProofWithoutTags)
    }

    pub(super) fn offer_loads(&self, actions: &mut Vec<Action>) {
        for (process, number) in self.state.loaders.iter().zip(0_u8..) {
            for (loader, refresh) in process.iter().zip([false, true]) {
                if loader.step != Step::Free {
                    self.offer(Task { process: number, refresh }, loader, actions);
                }
            }
        }
    }

    fn offer(&self, task: Task, loader: &Loader, actions: &mut Vec<Action>) {
        let breaks = self.state.left.breaks > 0;
        match loader.step {
            Step::Free => {}
            Step::RefreshLease => actions.push(Action::RefreshLease(task)),
            Step::Ask => actions.extend([Action::Announce(task), Action::GiveUp(task)]),
            Step::Asked => {
                if loader.ask == Ask::Unasked && loader.hand.stamp != 0 {
                    actions.push(Action::Look(task));
                } else if loader.looks {
                    actions.extend((loader.ask == Ask::Unasked).then_some(Action::LookBeside(task)));
                    actions.extend((loader.now == Base::Unread).then_some(Action::Base(task)));
                } else if loader.ask == Ask::Unasked && loader.forced.is_some() {
                    actions.push(Action::Takeover(task));
                    actions.extend(breaks.then_some(Action::BreakAcquire(task)));
                } else if loader.ask == Ask::Unasked {
                    actions.push(Action::Acquire(task));
                    let may_wait = !loader.aside && self.can_wait(usize::from(task.process));
                    actions.extend(may_wait.then_some(Action::AcquireAndWait(task)));
                    actions.extend(breaks.then_some(Action::BreakAcquire(task)));
                }
                if self.tag_before_load().is_some() && self.mark_before_load(loader) == Mark::Unread {
                    actions.push(Action::Tag(task));
                    actions.extend(breaks.then_some(Action::BreakTag(task)));
                }
            }
            Step::Check => actions.push(Action::CheckFound(task)),
            Step::Load | Step::Fill => actions.push(Action::Announce(task)),
            Step::Loading => {
                actions.push(Action::Select(task));
                actions.extend(self.may_fail(task, loader).then_some(Action::Fail(task)));
            }
            Step::Landing => actions.push(Action::Land(task)),
            Step::Tags => actions.push(Action::TagsOfValue(task)),
            Step::Filling => {
                if loader.filled.is_none() {
                    actions.push(Action::Fill(task));
                    actions.extend(self.may_be_unstored(loader).then_some(Action::Remove(task)));
                    actions.extend(breaks.then_some(Action::BreakFill(task)));
                }
                let needs_proof = self.is_proved(task) && self.needs_tags_again();
                if needs_proof && loader.proved.is_none() {
                    actions.push(Action::TagsAgain(task));
                }
                let needs_base = self.is_proved(task) && self.needs_base_again(loader);
                if needs_base && loader.still.is_none() {
                    actions.push(Action::BaseAgain(task));
                }
                let is_proved = (!needs_proof || loader.proved.is_some()) && (!needs_base || loader.still.is_some());
                if loader.filled == Some(false) || loader.filled.is_some() && is_proved {
                    actions.push(Action::Answer(task));
                }
            }
        }
    }

    /// Goes to a step; a shared flight announces it first.
    fn go(&mut self, task: Task, announced: Step, at_once: Step) {
        self.loader(task).step = if self.is_shared(task) { announced } else { at_once };
    }

    /// ACQUIRE and TAG come next, or again. All who came before ACQUIRE was announced may share a value, so its tag
    /// must be read after the announcement too.
    ///
    /// The call may take over a lease or a token that a GET has shown before, for any reason.
    pub(super) fn ask(&mut self, task: Task) {
        let keeps_tag = self.variant.has(Flaw::KeptTag);
        let over = self.seen_lease(usize::from(self.register(task)));
        let loader = self.loader(task);
        loader.ask = Ask::Unasked;
        loader.over = over;
        loader.space = Mark::Unread;
        loader.sent = [0; 2];
        loader.looks = false;
        if !keeps_tag {
            loader.tag = Mark::Unread;
        }
        self.go(task, Step::Ask, Step::Asked);
    }

    pub(super) fn go_to_load(&mut self, task: Task, stores: bool) {
        if task.refresh && !stores {
            return self.over(task);
        }
        self.note_load(task);
        self.loader(task).stores = stores;
        self.go(task, Step::Load, Step::Loading);
    }

    /// Refreshes the entry with this head, or the entry beside a base with this head.
    pub(super) fn start_refresh(&mut self, process: usize, head: Id, base: Base) {
        let task = Task { process: Self::number(process), refresh: true };
        let (stamp, aside) = (self.state.fresh(), base != Base::Unread);
        let how = Loader { step: Step::Asked, ask: Ask::Granted, aside, base, ..Loader::default() };
        *self.loader(task) = Loader { head, stamp, ..how };
        self.decide(task);
    }

    pub(super) fn announce(&mut self, task: Task) {
        let looks = self.loader(task).step == Step::Ask && self.loader(task).hand.stamp != 0;
        let is_stalled = self.is_stalled(task);
        if self.is_forced_flight(task) {
            return self.announce_forced(task);
        }
        for reader in 0..self.state.readers.len() {
            let this = &mut self.state.readers[reader];
            match (&mut this.call, &mut this.stalled) {
                (_, StalledFlight::Followed(joined_before)) if is_stalled => *joined_before = true,
                (Call::Following(joined_before), _) if !is_stalled => {
                    *joined_before = true;
                    this.looked |= looks;
                }
                _ => {}
            }
        }
        let loader = self.loader(task);
        loader.step = loader.step.announced();
    }

    /// The id with which a command is sent.
    pub(super) fn id_for(&mut self, task: Task, command: usize) -> Id {
        match self.loader(task).sent[command] {
            0 => self.state.fresh(),
            again => again,
        }
    }

    /// The connection breaks with the command on its way. Returns the id of the copy; the second try has another one.
    pub(super) fn lost_id(&mut self, task: Task, command: usize) -> Id {
        let id = self.id_for(task, command);
        let is_takeover = self.loader(task).forced.is_some() && command == 0;
        if self.variant.has(Flaw::SameId) || self.variant.has(Flaw::SameTakeover) && is_takeover {
            self.loader(task).sent[command] = id;
        }
        id
    }

    pub(super) fn send_acquire(&mut self, task: Task) {
        let id = self.id_for(task, 0);
        let Loader { replace, over, .. } = *self.loader(task);
        let ask = self.acquire(usize::from(self.register(task)), (id, self.purpose(task)), replace, over);
        let loader = self.loader(task);
        loader.ask = ask;
        if ask == Ask::Granted {
            (loader.head, loader.stamp) = (id, id);
        }
        self.decide(task);
    }

    pub(super) fn send_tag(&mut self, task: Task) {
        let id = self.id_for(task, 1);
        let register = self.tag_before_load().unwrap_or(T);
        let mark = self.tag(register, id);
        let loader = self.loader(task);
        if register == T {
            loader.tag = mark;
        } else {
            loader.space = mark;
        }
        self.decide(task);
    }

    /// Continues once enough answers have arrived.
    pub(super) fn decide(&mut self, task: Task) {
        let loader = *self.loader(task);
        let mark = self.mark_before_load(&loader);
        if loader.forced.is_some() && loader.ask == Ask::Unasked {
            return;
        }
        if loader.ask == Ask::Writing || mark == Mark::Writing {
            self.note(Event::Writing);
            self.loader(task).hand = Value::default();
            return self.go_to_load(task, false);
        }
        if self.has_moved(task) || self.turns_aside(task) {
            return;
        }
        match loader.ask {
            Ask::Granted if mark != Mark::Unread => self.go_to_load(task, true),
            Ask::Leased if self.variant.has(Flaw::LeaseAfterLoad) => {
                self.loader(task).stamp = self.state.fresh();
                self.go_to_load(task, true);
            }
            Ask::Leased => self.ask(task),
            Ask::Found(value) if self.variant.tags == Tags::None => self.found(task, value.version),
            Ask::Found(_) if self.tag_before_load() != Some(T) => self.loader(task).step = Step::Check,
            Ask::Found(value) => match mark {
                Mark::Stamp(tag) if tag == value.tag => self.found(task, value.version),
                Mark::Stamp(_) => self.found_unusable(task, value.stamp),
                Mark::Unread | Mark::Writing => {}
            },
            Ask::Standing if mark != Mark::Unread => self.stands(task, mark),
            Ask::Gone => self.is_gone(task),
            Ask::Granted | Ask::Standing | Ask::Unasked | Ask::Writing => {}
        }
    }

    pub(super) fn check_found(&mut self, task: Task) {
        if let Ask::Found(value) = self.loader(task).ask {
            if self.is_current(value) {
                self.found(task, value.version);
            } else {
                self.found_unusable(task, value.stamp);
            }
        }
    }

    fn found_unusable(&mut self, task: Task, head: Id) {
        self.note(Event::TagChanged);
        self.replaces(task, head);
    }

    pub(super) fn replaces(&mut self, task: Task, head: Id) {
        self.loader(task).replace = head;
        self.ask(task);
    }

    fn found(&mut self, task: Task, version: u8) {
        self.note(Event::Found);
        let loader = self.loader(task);
        loader.stores = false;
        loader.hand = Value::default();
        loader.version = version;
        self.go_to_landing(task);
    }

    pub(super) fn select(&mut self, task: Task) {
        if !self.variant.has(Flaw::OldSnapshot) {
            self.loader(task).version = self.state.version;
        }
        self.go_to_landing(task);
    }

    fn go_to_landing(&mut self, task: Task) {
        if self.is_shared(task) {
            self.loader(task).step = Step::Landing;
        } else {
            self.land(task);
        }
    }

    /// Gives the value to the leader, and to those who joined before the step that produced it.
    pub(super) fn land(&mut self, task: Task) {
        let loader = *self.loader(task);
        self.hand_out(task, loader.version, self.variant.has(Flaw::ShareAnyLoad), Event::SharedEarly);
        if !loader.stores {
            return self.over(task);
        }
        if self.variant.has(Flaw::HeadAfterLoad) && loader.hand.stamp != 0 {
            self.loader(task).step = Step::Asked;
            self.loader(task).ask = Ask::Unasked;
        } else if self.reads_tags_after_load() {
            self.loader(task).step = Step::Tags;
        } else {
            self.go(task, Step::Fill, Step::Filling);
        }
    }

    fn hand_out(&mut self, task: Task, version: u8, to_all: bool, event: Event) {
        if self.is_stalled(task) {
            return self.hand_out_stalled(version);
        }
        if self.is_forced_flight(task) {
            return self.hand_out_forced(task, version);
        }
        for reader in 0..self.state.readers.len() {
            if self.variant.process(reader) != usize::from(task.process) {
                continue;
            }
            match &mut self.state.readers[reader].call {
                Call::Claiming if task.refresh => self.returns(reader, version),
                _ if task.refresh => {}
                Call::Leading => self.returns(reader, version),
                Call::Following(joined_before) if *joined_before || to_all => {
                    self.note(event);
                    self.returns(reader, version);
                }
                _ => {}
            }
        }
    }

    /// The flight ends: those who still follow are the next generation.
    pub(super) fn over(&mut self, task: Task) {
        self.complete_forced(task);
        let refresh_lease = std::mem::take(self.loader(task)).refresh_lease;
        if refresh_lease != 0 && self.state.cells[R] == Cell::Lease(refresh_lease, NOBODY) {
            self.state.cells[R] = Cell::Nothing;
        }
        if self.is_stalled(task) {
            self.forget_stalled();
        }
        if !self.is_shared(task) {
            return;
        }
        if self.is_forced_flight(task) {
            return self.forced_start_over();
        }
        for reader in &mut self.state.readers {
            if matches!(reader.call, Call::Following(_)) {
                reader.call = if reader.hand.stamp == 0 { Call::Missed(0) } else { Call::Expired };
                reader.looked = false;
            }
        }
    }

    /// Reads the value's tag and the namespace in one step, and does not store if the namespace has changed.
    pub(super) fn tags_of_value(&mut self, task: Task) {
        let (id, id_of_space) = (self.state.fresh(), self.state.fresh());
        let tag = self.tag(T, id);
        let before = self.loader(task).space;
        self.loader(task).tag = tag;
        let is_same = self.tag_before_load() != Some(U) || self.tag(U, id_of_space) == before;
        if tag == Mark::Writing || !is_same {
            self.note(Event::TagChanged);
            return self.over(task);
        }
        self.go(task, Step::Fill, Step::Filling);
    }

    pub(super) fn send_fill(&mut self, task: Task) {
        self.read_base_late(task);
        let loader = *self.loader(task);
        let (register, value) = (usize::from(self.register(task)), loader.value(self.build(task)));
        let filled = self.fill(register, loader.head, value, loader.head != loader.stamp);
        self.loader(task).filled = Some(filled);
        if filled && loader.forced.is_some() {
            self.note(Event::StoredByForce);
        }
        if filled && task.refresh && self.rule == Rule::Once {
            self.state.refreshed = loader.head;
        }
        if !self.is_shared(task) {
            self.over(task);
        }
    }

    pub(super) fn tags_again(&mut self, task: Task) {
        let build = self.build(task);
        let value = self.loader(task).value(build);
        let is_current = self.is_current(value);
        self.loader(task).proved = Some(is_current);
    }

    /// The answer to FILL has arrived. The value is current for those who joined before FILL was announced, if it was
    /// accepted and the tags are unchanged.
    pub(super) fn answer(&mut self, task: Task) {
        let loader = *self.loader(task);
        if loader.forced.is_some() {
            return self.answer_forced(task);
        }
        let is_still = loader.still == Some(true) || !self.needs_base_again(&loader);
        let is_proved = is_still && (loader.proved == Some(true) || !self.needs_tags_again());
        if loader.filled == Some(true) && is_proved {
            self.hand_out(task, loader.version, self.variant.has(Flaw::ProofByAnswer), Event::SharedProved);
        } else if loader.filled == Some(true) {
            self.note(Event::NotProved);
        }
        self.over(task);
    }
}
