//! Values past their end, with plain calls of the store. A refresh takes the refresh lease and reads the value a second
//! time, even if the broken model does not, and stores with FILL if the value still stands there.

use super::{FOR_EVER, Loader, Player, REFRESH_LEASE, WITHIN};
use cached_core::store::{Acquire, Acquired, Head, Release};
use tests::model::Task;

impl Player {
    /// A call finds a value past its end, and loads over it.
    pub(super) async fn get_stale(&mut self, reader: u8) {
        self.begin_ahead(reader, false).await;
    }

    /// The same, but a refresh loads over the value.
    pub(super) async fn claim(&mut self, reader: u8) {
        self.begin_ahead(reader, true).await;
    }

    async fn begin_ahead(&mut self, reader: u8, refresh: bool) {
        self.returns(reader, self.version);
        self.calls[usize::from(reader)] = Some(self.completed);
        self.took("call");
        let found = self.look().await;
        let is_found = found.is_ok();
        let loader = match found {
            Ok(value) => Loader { hand: Some(value), ..Loader::default() },
            // There is no value past its end, but none at all.
            Err(replace) => Loader { replace, ..Loader::default() },
        };
        self.loaders[usize::from(reader)][usize::from(refresh && is_found)] = loader;
    }

    /// The value past its end, if there is one.
    pub(super) fn serve(&mut self, reader: u8) {
        let hands = self.loaders[usize::from(reader)].iter().find_map(|loader| loader.hand.as_ref());
        if let Some(version) = hands.map(super::Value::version) {
            self.took("value past its end");
            self.returns(reader, version);
        }
    }

    pub(super) async fn refresh_lease(&mut self, task: Task) {
        let refresh_lease = self.id(b'L');
        let answer =
            self.foreign.store.acquire(Acquire::new(&REFRESH_LEASE.into(), refresh_lease, FOR_EVER, WITHIN)).await;
        self.took("refresh_lease");
        if answer.expect("ACQUIRE") == Acquired::Granted {
            self.loader(task).refresh_lease = Some(refresh_lease);
            self.look_again(task).await;
        } else {
            self.loader(task).is_barred = true;
        }
    }

    /// Loads over the value if it still stands there with the same tag; otherwise this is a miss.
    pub(super) async fn look_again(&mut self, task: Task) {
        if self.loader(task).expected.is_some() {
            return;
        }
        let found = self.look().await;
        self.took("another look");
        let head = |value: &super::Value| Head::from_bytes(&value.0);
        let loader = self.loader(task);
        let hand = loader.hand.as_ref().and_then(head);
        match found {
            Ok(value) if head(&value) == hand => (loader.expected, loader.is_asked) = (hand, true),
            Ok(value) if !task.refresh => {
                loader.is_barred = true;
                self.returns(task.process, value.version());
            }
            Err(replace) if !task.refresh => loader.replace = replace,
            _ => loader.is_barred = true,
        }
    }

    /// The loader gives its refresh lease back.
    pub(super) async fn release(&mut self, task: Task) {
        if let Some(refresh_lease) = self.loader(task).refresh_lease.take() {
            self.foreign
                .store
                .release(Release::new(&REFRESH_LEASE.into(), refresh_lease, WITHIN))
                .await
                .expect("RELEASE");
        }
    }
}
