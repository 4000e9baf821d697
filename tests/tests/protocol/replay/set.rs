//! Values that are set by hand, with plain calls of the store.

use super::{Command, ENTRY, FOR_EVER, Player, TAG, Value, WITHIN};
use cached_core::store::Put;
use tests::model::{Action, Tags};

impl Player {
    /// A value of the version that the database holds now is set by hand.
    pub(super) async fn act_by_hand(&mut self, action: Action) {
        if action == Action::SetTag {
            self.set_tag = self.stamp(TAG).await;
            return;
        }
        let (head, tag) = (self.id(b'V'), self.set_tag.take());
        let value = Value::new(head, tag, self.version).0;
        if action == Action::BreakSet {
            self.took("break");
            self.late.push(Some(Command::Put { key: ENTRY.into(), value, ttl: FOR_EVER }));
        } else if self.variant.tags == Tags::None || tag.is_some() {
            let is_set = self.foreign.store.put(Put::new(&ENTRY.into(), value, FOR_EVER, WITHIN)).await.expect("SET");
            self.took(if is_set { "SET" } else { "SET, refused" });
        }
    }
}
