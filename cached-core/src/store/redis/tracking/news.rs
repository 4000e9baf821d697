//! The news that the server tells unasked.

use crate::store::watchers::Watchers;
use redis::Value;

/// `invalidate`: names of keys, or nothing for all of them.
pub(super) fn tell(watchers: &Watchers, data: &[Value]) {
    match data {
        [Value::Array(keys)] => keys.iter().for_each(|key| changed(watchers, key)),
        _ => watchers.each(|watcher| watcher.all_changed()),
    }
}

fn changed(watchers: &Watchers, key: &Value) {
    match key {
        Value::BulkString(key) => {
            // A key that is no text is none of ours.
            if let Ok(key) = std::str::from_utf8(key) {
                watchers.each(|watcher| watcher.changed(key));
            }
        }
        _ => watchers.each(|watcher| watcher.all_changed()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Watcher;
    use std::sync::{Arc, Mutex, Weak};
    use std::time::{Duration, Instant};

    #[derive(Debug, Default)]
    struct Told(Mutex<Vec<String>>);

    impl Told {
        fn add(&self, what: &str) {
            self.0.lock().unwrap().push(what.to_owned());
        }
    }

    impl Watcher for Told {
        fn changed(&self, key: &str) {
            self.add(key);
        }

        fn all_changed(&self) {
            self.add("*");
        }

        fn lost(&self) {}

        fn regained(&self) {}

        fn confirmed(&self, _: Instant) {}

        fn heartbeat(&self) -> Duration {
            Duration::from_secs(1)
        }
    }

    fn told(data: &[Value]) -> Vec<String> {
        let (watchers, told) = (Watchers::default(), Arc::new(Told::default()));
        let watcher: Weak<Told> = Arc::downgrade(&told);
        watchers.add(watcher);
        tell(&watchers, data);
        told.0.lock().unwrap().clone()
    }

    #[test]
    fn what_is_not_understood_is_taken_for_a_change_of_everything() {
        let key = |bytes: &[u8]| Value::BulkString(bytes.to_vec());
        assert_eq!(told(&[Value::Array(vec![key(b"a"), key(b"b")])]), ["a", "b"]);
        assert_eq!(told(&[Value::Nil]), ["*"]);
        assert_eq!(told(&[]), ["*"]);
        assert_eq!(told(&[key(b"a")]), ["*"]);
        assert_eq!(told(&[Value::Array(vec![Value::Int(1)])]), ["*"]);
        assert_eq!(told(&[Value::Array(vec![key(b"\xff"), key(b"a")])]), ["a"]);
    }
}
