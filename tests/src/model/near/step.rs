//! The steps of the server and of the client.

use super::Event;
use super::World;
use super::action::{Action, Register};
use super::state::{ALL, E, Message, NearCopy, Outer, Own, Read, Step, T};
use super::variant::{Flaw, Order, Tag};

impl World<'_> {
    pub(super) fn offer(&self, actions: &mut Vec<Action>) {
        self.offer_reads(actions);
        self.offer_messages(actions);
        self.offer_changes(actions);
        self.offer_contact(actions);
    }

    fn offer_reads(&self, actions: &mut Vec<Action>) {
        for (read, number) in self.state.reads.iter().zip(0..self.variant.reads) {
            let stands = self.state.connections[usize::from(read.connection)].stands;
            match read.step {
                // The reads are alike, so they may as well begin one after the other.
                Step::Nothing if number > 0 && self.state.reads[0].step == Step::Nothing => {}
                Step::Nothing => actions.extend(self.connection_to_read_on().map(|_| Action::Reserve(number))),
                Step::Reserved => actions.extend(stands.then_some(Action::Get(number))),
                Step::Named => actions.push(Action::ReserveTag(number)),
                Step::TagReserved => actions.extend(stands.then_some(Action::GetTag(number))),
                Step::Asked | Step::TagAsked | Step::Done => {}
            }
        }
    }

    fn connection_to_read_on(&self) -> Option<u8> {
        // Given up, but some call still has it.
        let old = (self.variant.has(Flaw::ReadsOnOld) && self.state.connections[0].is_over).then_some(0);
        old.or(self.state.in_use)
    }

    fn offer_messages(&self, actions: &mut Vec<Action>) {
        for (connection, number) in self.state.connections.iter().zip(0_u8..) {
            let mut follows_news = false;
            for (message, at) in connection.wire.iter().zip(0_u8..) {
                let is_next = match self.variant.order {
                    Order::Kept => at == 0,
                    Order::AnswersLate => !follows_news,
                    Order::Any => true,
                };
                actions.extend(is_next.then_some(Action::Deal(number, at)));
                follows_news |= matches!(message, Message::News(_));
            }
        }
    }

    fn offer_changes(&self, actions: &mut Vec<Action>) {
        if self.state.left > 0 {
            actions.push(Action::Change(Register::Entry));
            actions.extend((self.variant.tag != Tag::None).then_some(Action::Change(Register::Tag)));
        }
        actions.extend((self.state.flushes > 0).then_some(Action::Flush));
        match self.state.own {
            Own::Nothing if self.variant.has(Flaw::OwnFill) => actions.push(Action::OwnFill),
            Own::Nothing if self.variant.writes => actions.push(Action::OwnSend),
            Own::Sent => actions.push(Action::OwnWrite),
            Own::Written(_) => actions.push(Action::OwnReturn),
            Own::Nothing | Own::Returned(_) => {}
        }
        match self.state.outer {
            Outer::Nothing => actions.extend(self.variant.nests.then_some(Action::OuterBegin)),
            Outer::Begun(_) => actions.push(Action::OuterCall),
            Outer::Called(..) => actions.push(Action::OuterFill),
            Outer::Stored(..) => {}
        }
    }

    /// Gives the load its value: from the store as it is now, or from the copy.
    pub(super) fn outer_call(&mut self) {
        let Outer::Begun(stamp) = self.state.outer else { return };
        let copy = self.state.served(self.variant);
        if copy.is_some_and(|copy| self.state.missed(self.variant, copy).is_some()) {
            self.note(Event::CalledBesideStale);
        }
        let copy = copy.filter(|_| self.variant.has(Flaw::CopyInLoad));
        let value = copy.map_or(self.state.changes, |copy| copy.at[E]);
        self.state.outer = Outer::Called(stamp, value);
    }

    pub(super) fn outer_fill(&mut self) {
        if let Outer::Called(stamp, value) = self.state.outer {
            self.state.outer = Outer::Stored(stamp, value);
        }
    }

    fn offer_contact(&self, actions: &mut Vec<Action>) {
        if let Some((connection, _)) = self.state.ping {
            actions.extend(self.state.connections[usize::from(connection)].stands.then_some(Action::Pong));
        } else if self.state.pings > 0 && self.state.in_use.is_some() {
            actions.push(Action::Ping);
        }
        if !self.variant.breaks {
            return;
        }
        let [first, second] = &self.state.connections;
        if first.stands && !first.is_over {
            actions.extend((0_u8..).zip(0..=first.wire.len()).map(|(left, _)| Action::Break(left)));
        }
        if !first.is_over {
            actions.push(Action::GiveUp);
        } else if !second.stands {
            actions.push(Action::Connect);
        } else {
            actions.extend((!second.tracks).then_some(Action::Track));
            let may_be_used = second.tracks || self.variant.has(Flaw::RegainsEarly);
            actions.extend((may_be_used && self.state.in_use.is_none()).then_some(Action::Regain));
        }
    }

    pub(super) fn reserve(&mut self, read: u8) {
        let connection = self.connection_to_read_on().unwrap_or_default();
        let copy = NearCopy { at: [0; 2], marks: self.state.marks, epoch: self.state.epoch };
        self.state.reads[usize::from(read)] = Read { step: Step::Reserved, connection, copy };
    }

    /// GET of the entry, and of the tag if it is known.
    pub(super) fn get(&mut self, number: u8) {
        let changes = self.state.changes;
        let read = &mut self.state.reads[usize::from(number)];
        let registers = if self.variant.tag == Tag::Told { ALL } else { 1 << E };
        read.step = Step::Asked;
        read.copy.at = [changes; 2];
        let connection = read.connection;
        self.answer(connection, registers, number);
    }

    pub(super) fn reserve_tag(&mut self, number: u8) {
        let mark = self.state.marks[T];
        let read = &mut self.state.reads[usize::from(number)];
        read.copy.marks[T] = mark;
        read.step = Step::TagReserved;
    }

    pub(super) fn get_tag(&mut self, number: u8) {
        let changes = self.state.changes;
        let read = &mut self.state.reads[usize::from(number)];
        read.step = Step::TagAsked;
        read.copy.at[T] = changes;
        let connection = read.connection;
        self.answer(connection, 1 << T, number);
    }

    /// The server answers a GET, and will announce these registers.
    fn answer(&mut self, connection: u8, registers: u8, read: u8) {
        let connection = &mut self.state.connections[usize::from(connection)];
        if connection.tracks {
            connection.told |= if connection.is_over { 0 } else { registers };
        }
        connection.wire.push(Message::Answer(read));
    }

    /// The server announces a change once to all who have read the registers.
    pub(super) fn change(&mut self, registers: u8) {
        self.state.log[usize::from(self.state.changes)] = registers;
        self.state.changes += 1;
        for connection in &mut self.state.connections {
            let news = if registers == ALL && connection.tracks { ALL } else { connection.told & registers };
            connection.told &= !registers;
            if news != 0 && connection.stands && !connection.is_over {
                connection.wire.push(Message::News(news));
            }
        }
    }

    pub(super) fn deal(&mut self, connection: u8, at: u8) {
        match self.state.connections[usize::from(connection)].wire.remove(usize::from(at)) {
            Message::Answer(read) => self.answered(read),
            Message::News(registers) => self.heard(registers),
            Message::Pong(sent) => {
                let up_to = if self.variant.has(Flaw::ConfirmsAtPong) { self.state.changes } else { sent };
                self.note(Event::Confirmed);
                self.state.confirmed = self.state.confirmed.max(Some(up_to));
            }
        }
    }

    fn heard(&mut self, registers: u8) {
        for register in [E, T] {
            if registers & (1 << register) != 0 {
                self.state.marks[register] += 1;
            }
        }
        if self.state.copy.take_if(|copy| copy.marks != self.state.marks).is_some() {
            self.note(Event::Dropped);
        }
    }

    fn answered(&mut self, number: u8) {
        let (marks, epoch) = (self.state.marks, self.state.epoch);
        let read = &mut self.state.reads[usize::from(number)];
        if self.variant.tag == Tag::FromValue && read.step == Step::Asked {
            read.step = Step::Named;
            return;
        }
        let mut copy = read.copy;
        *read = Read { step: Step::Done, ..Read::default() };
        if self.variant.has(Flaw::NoReservation) {
            (copy.marks, copy.epoch) = (marks, epoch);
        }
        if self.variant.has(Flaw::TagUnreserved) {
            copy.marks[T] = marks[T];
        }
        if self.variant.has(Flaw::EpochAtAnswer) {
            copy.epoch = epoch;
        }
        if copy.marks == marks && copy.epoch == epoch {
            self.note(Event::Kept);
            self.state.copy = Some(copy);
        } else {
            self.note(Event::Overtaken);
        }
    }

    /// The server does not announce to a connection what came on that connection, and forgets it.
    pub(super) fn own_fill(&mut self) {
        self.state.connections[0].told &= !(1 << E);
        self.change(1 << E);
        let changes = self.state.changes;
        self.state.own = Own::Returned(changes);
        self.state.copy = Some(NearCopy { at: [changes; 2], marks: self.state.marks, epoch: self.state.epoch });
    }

    pub(super) fn own_send(&mut self) {
        self.state.own = Own::Sent;
        if self.variant.has(Flaw::DropsBefore) {
            self.heard(1 << E);
        }
    }

    pub(super) fn own_write(&mut self) {
        self.change(1 << E);
        self.state.own = Own::Written(self.state.changes);
    }

    pub(super) fn own_return(&mut self) {
        let Own::Written(change) = self.state.own else { return };
        self.state.own = Own::Returned(change);
        if !self.variant.has(Flaw::DropsBefore) {
            self.heard(1 << E);
        }
    }

    pub(super) fn send_ping(&mut self) {
        self.state.pings -= 1;
        self.state.ping = self.state.in_use.map(|connection| (connection, self.state.changes));
    }

    pub(super) fn pong(&mut self) {
        if let Some((connection, sent)) = self.state.ping.take() {
            self.state.connections[usize::from(connection)].wire.push(Message::Pong(sent));
        }
    }

    pub(super) fn break_first(&mut self, left: u8) {
        let first = &mut self.state.connections[0];
        first.stands = false;
        first.told = 0;
        first.wire.truncate(usize::from(left));
    }

    /// Nothing was received for too long, or the connection is known to be lost. A call may still have an answer that
    /// came on it.
    pub(super) fn give_up(&mut self) {
        let first = &mut self.state.connections[0];
        first.is_over = true;
        first.told = 0;
        first.wire.retain(|message| !matches!(message, Message::News(_)));
        self.state.in_use = None;
        self.state.confirmed = None;
        self.state.ping = None;
        self.begin_epoch();
    }

    pub(super) fn connect(&mut self) {
        self.state.connections[1].stands = true;
    }

    pub(super) fn regain(&mut self) {
        self.state.in_use = Some(1);
        self.begin_epoch();
        if !self.variant.has(Flaw::NoEpoch) && self.state.copy.take().is_some() {
            self.note(Event::Gap);
        }
    }

    fn begin_epoch(&mut self) {
        if !self.variant.has(Flaw::NoEpoch) {
            self.state.epoch += 1;
        }
    }
}
