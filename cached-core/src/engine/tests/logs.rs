//! The log lines for operators.

use super::*;
use crate::Invalidation;
use crate::site::{Site, SiteSpec};
use std::fmt::{Debug, Write as _};
use std::sync::{LazyLock, Mutex};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::subscriber::DefaultGuard;
use tracing::{Dispatch, Event, Metadata, Subscriber};

/// The log messages of this thread.
#[derive(Clone, Default)]
struct Messages(Arc<Mutex<Vec<String>>>);

/// A subscriber that stays. While a process has only one, `tracing` asks the thread that first reaches a callsite
/// whether anybody listens there, and remembers its "no" for all threads.
static STAYING: LazyLock<Dispatch> = LazyLock::new(|| Dispatch::new(Messages::default()));

impl Messages {
    /// Listens on this thread until the guard is dropped.
    fn listen() -> (Self, DefaultGuard) {
        LazyLock::force(&STAYING);
        let messages = Self::default();
        (messages.clone(), tracing::subscriber::set_default(messages))
    }

    fn take(&self) -> Vec<String> {
        std::mem::take(&mut self.0.lock().unwrap())
    }

    /// The messages since the last call that operators see by default.
    fn warnings(&self) -> Vec<String> {
        self.take().into_iter().filter(|said| said.starts_with("WARN") || said.starts_with("INFO")).collect()
    }
}

struct Message(String);

impl Visit for Message {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        if field.name() == "message" {
            let _ = write!(self.0, "{value:?}");
        }
    }
}

impl Subscriber for Messages {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        let mut message = Message(event.metadata().level().to_string() + " ");
        event.record(&mut message);
        if event.metadata().target().starts_with("cached_core") {
            self.0.lock().unwrap().push(message.0);
        }
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

#[tokio::test(start_paused = true)]
async fn an_outage_is_two_lines() {
    let (messages, _listening) = Messages::listen();
    let on = Subject::new();
    messages.take();
    on.open_breaker().await;
    let mut said = messages.warnings();
    // The log says once in a process that its key is used by hand.
    said.retain(|line| !line.contains("that no annotated function of this program has"));
    assert!(said.len() == 1 && said[0].starts_with("WARN the cache's store is out of reach"), "{said:?}");

    let probe = async || {
        on.clock.advance(ms(800));
        on.call(1, AT_ONCE).await;
        tasks().await;
    };
    on.store.plan(Step::Ping, [Act::Fails(FaultKind::Timeout)]);
    probe().await;
    assert_eq!(messages.warnings(), Vec::<String>::new(), "it is still out of reach");
    for _ in 0..3 {
        probe().await;
    }
    let said = messages.warnings();
    assert!(said.len() == 1 && said[0].starts_with("INFO the cache's store is back"), "{said:?}");
}

#[tokio::test]
async fn a_codec_that_does_not_fit_is_logged_once() {
    let (messages, _listening) = Messages::listen();
    let on = Subject::new();
    let site: &Site = Box::leak(Box::new(Site::new(SiteSpec { name: "f", ..SiteSpec::DEFAULT })));
    let target = on.engine().target_at::<u64>(on.engine().site(site), on.engine().settings.prefix.literal("k"));
    messages.take();
    target.missed(MissReason::Type);
    assert_eq!(messages.warnings(), Vec::<String>::new());
    target.missed(MissReason::Payload);
    let said = messages.warnings();
    assert!(said.len() == 1 && said[0].contains("cannot read back this function's values"), "{said:?}");
    for _ in 0..3 {
        target.missed(MissReason::Payload);
    }
    assert_eq!(messages.warnings(), Vec::<String>::new());
}

#[tokio::test(start_paused = true)]
async fn writes_during_an_outage_are_said_once_and_so_is_its_end() {
    let (messages, _listening) = Messages::listen();
    let on = Subject::new();
    on.open_breaker().await;
    messages.take();
    for _ in 0..3 {
        let _ = on.cache.write(Invalidation::new().key("k"), async {}).await;
    }
    let said = messages.warnings();
    assert!(
        said.len() == 1 && said[0].starts_with("WARN a write goes ahead without its bracket, and those"),
        "{said:?}"
    );
    for _ in 0..4 {
        on.clock.advance(ms(800));
        on.call(1, AT_ONCE).await;
        tasks().await;
    }
    let said = messages.warnings();
    let takes = "INFO the store takes this function's writes again";
    assert_eq!(said.iter().filter(|line| line.starts_with(takes)).count(), 1, "{said:?}");
}

#[tokio::test]
async fn an_unknown_class_by_hand_is_said_with_the_classes_that_there_are() {
    let (messages, _listening) = Messages::listen();
    let on = Subject::new();
    messages.take();
    let entry = on.cache.entry("k").named("rates").ttl_class("hourly");
    for value in 0..2_u64 {
        entry.set(&value).await.unwrap();
    }
    let said = messages.warnings();
    let said: Vec<_> = said.iter().filter(|line| line.contains("no such TTL class")).collect();
    assert!(said.len() == 1 && said[0].contains("live as those of `medium`") && said[0].contains("short"), "{said:?}");
}

#[tokio::test(start_paused = true)]
async fn an_invalidation_that_is_lost_is_said_although_others_were_queued() {
    let (messages, _listening) = Messages::listen();
    let on = Subject::new();
    on.open_breaker().await;
    let _ = on.cache.invalidate(Invalidation::new().key("k")).await;
    let _ = on.cache.shutdown(Duration::ZERO).await;
    messages.take();
    for _ in 0..2 {
        let _ = on.cache.invalidate(Invalidation::new().key("k")).await;
    }
    let said = messages.warnings();
    assert!(said.len() == 1 && said[0].starts_with("WARN an invalidation is lost"), "{said:?}");
}
