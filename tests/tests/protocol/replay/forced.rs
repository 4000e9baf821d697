//! Forced refreshes, with plain calls of the store.

use super::{Command, ENTRY, FOR_EVER, Loader, Player, WITHIN};
use cached_core::store::{TakenOver, Takeover};
use tests::model::{Action, Task};

impl Player {
    /// A call begins, and refreshes by force.
    pub(super) fn force(&mut self, reader: u8) {
        self.returns(reader, self.version);
        self.calls[usize::from(reader)] = Some(self.completed);
        self.took("call");
        self.loaders[usize::from(reader)][0] = Loader { forced: Some(self.version), ..Loader::default() };
    }

    /// The broken model's call takes the refresh lease, or what there is if it does not get it. This one takes over, and
    /// loads in any case.
    pub(super) async fn force_by_ticket(&mut self, task: Task, rest: &[Action]) {
        self.take_over(task).await;
        if !rest.iter().any(|action| matches!(action, Action::Select(of) if *of == task)) {
            self.loader(task).version = self.version;
            self.took("load");
            self.returns(task.process, self.version);
            self.fill(task).await;
        }
    }

    pub(super) async fn take_over(&mut self, task: Task) {
        let (fresh, lease) = (self.id(b'V'), self.id(b'L'));
        let forced = self.foreign.store.capabilities().forced_refresh().expect("our own stores can");
        let taken = forced.take_over(Takeover::new(&ENTRY.into(), fresh, lease, FOR_EVER, WITHIN)).await;
        self.took("TAKEOVER");
        let loader = self.loader(task);
        loader.is_asked = true;
        match taken.expect("TAKEOVER") {
            TakenOver::Value => loader.expected = Some(fresh),
            TakenOver::Lease => loader.expected = Some(lease),
            TakenOver::Writing => loader.is_barred = true,
            other => panic!("an answer that the model does not know: {other:?}"),
        }
    }

    /// A copy of TAKEOVER that got lost.
    pub(super) fn lost_takeover(&mut self) -> Command {
        let (fresh, lease) = (self.id(b'V'), self.id(b'L'));
        Command::Takeover { key: ENTRY.into(), fresh, lease, ttl: FOR_EVER }
    }

    /// The forced refresh has ended: what stands there from now on was loaded after it began. If it has not stored
    /// because another one has taken over, that is so when that one has ended.
    pub(super) fn complete_forced(&mut self, task: Task, is_stored: bool) {
        let loader = self.loader(task);
        let Some(since) = loader.forced.take().filter(|_| loader.is_asked) else { return };
        let loaders = self.loaders.iter_mut().flatten();
        let others = loaders.filter(|other| other.forced.is_some() && other.expected.is_some());
        let mut is_left_to_others = false;
        if !is_stored {
            for other in others {
                other.forced = other.forced.max(Some(since));
                is_left_to_others = true;
            }
        }
        if !is_left_to_others && since > self.completed {
            self.completed = since;
            self.log.push(format!("    v{since} is complete by force"));
        }
    }
}
