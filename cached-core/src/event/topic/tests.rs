use super::*;
use proptest::prelude::*;
use std::collections::HashMap;

#[derive(Debug, Clone, PartialEq, crate::CacheEvent)]
#[event(by(tenant), by(id), by(tenant & lang), by(lang & id))]
struct Renamed {
    tenant: String,
    lang: String,
    #[cache_key(hash)]
    id: String,
}

impl Renamed {
    fn of([tenant, lang, id]: [&str; 3]) -> Self {
        Self { tenant: tenant.into(), lang: lang.into(), id: id.into() }
    }

    fn value(&self, field: &str) -> &str {
        match field {
            "tenant" => &self.tenant,
            "lang" => &self.lang,
            _ => &self.id,
        }
    }
}

fn touched(event: &Renamed) -> Vec<String> {
    Topics::of(event).registers(&Prefix::new("n")).map(|register| register.to_string()).collect()
}

/// The register of a listener that names these fields, rendered as generated code renders it.
fn listened(event: &Renamed, fields: &[&'static str]) -> String {
    let field = |name: &&'static str| -> Box<dyn KeySegment> {
        let value = event.value(name).to_owned();
        match *name {
            "id" => Box::new(EventField::<_, HASH>::of(|event: &Renamed| &event.id).segment(value)),
            _ => Box::new(EventField::<_, PLAIN>::of(|event: &Renamed| &event.lang).segment(value)),
        }
    };
    let values: Vec<_> = fields.iter().map(field).collect();
    let values: Vec<&dyn KeySegment> = values.iter().map(|value| &**value).collect();
    Prefix::new("n").render_topic(Renamed::NAME, fields, &values).unwrap().to_string()
}

#[test]
fn an_event_touches_the_registers_of_all_its_topics() {
    let touched = touched(&Renamed::of(["acme", "en", "7"]));
    let id = &listened(&Renamed::of(["", "", "7"]), &["id"])["n:e:Renamed;id:".len()..];
    let expected = [
        "n:e:Renamed".to_owned(),
        "n:e:Renamed;tenant:acme".to_owned(),
        format!("n:e:Renamed;id:{id}"),
        "n:e:Renamed;lang;tenant:en:acme".to_owned(),
        format!("n:e:Renamed;id;lang:{id}:en"),
        format!("n:e:Renamed:acme:en:{id}"),
    ];
    assert_eq!(touched, expected);
    assert!(id.starts_with('@') && id.len() > 64, "hashed as in the event itself: {id}");
}

#[test]
fn an_event_without_by_touches_what_it_always_did() {
    #[derive(crate::CacheEvent)]
    struct Sold {
        id: u64,
    }

    let touched = Topics::of(&Sold { id: 7 }).registers(&Prefix::new("n")).collect::<Vec<_>>();
    assert_eq!(touched, ["n:e:Sold", "n:e:Sold:7"].map(Key::from));
}

#[test]
fn a_field_that_cannot_be_rendered_leaves_the_topics_without_it() {
    struct Broken;
    impl KeyIdentity for Broken {
        fn write(&self, _: &mut SegmentWriter<'_>) {
            panic!("the user's code panics");
        }
    }
    impl KeySegment for Broken {}

    #[derive(crate::CacheEvent)]
    #[event(by(tenant), by(tenant & broken))]
    struct Half {
        tenant: u64,
        broken: Broken,
        id: u64,
    }

    let topics = Topics::of(&Half { tenant: 7, broken: Broken, id: 1 });
    assert!(!topics.are_whole);
    let touched = topics.registers(&Prefix::new("n")).collect::<Vec<_>>();
    assert_eq!(touched, ["n:e:Half", "n:e:Half;tenant:7"].map(Key::from));
}

#[test]
fn a_declared_topic_may_be_written_in_any_order() {
    let declared = Declared::of(|_: Renamed| {});
    assert_eq!(declared.topic(|_: Renamed| {}, &["lang", "tenant"], "", ""), Topic::By(&["lang", "tenant"]));
    assert_eq!([declared.form("tenant"), declared.form("id")], [PLAIN, HASH]);
}

/// Texts that look like what stands between the parts of a register's name.
fn text() -> impl Strategy<Value = String> {
    let part =
        prop_oneof![Just(";"), Just(":"), Just("tenant"), Just("lang"), Just("id"), Just("'"), Just("a"), Just("7")];
    let crafted = prop::collection::vec(part, 0..5).prop_map(|parts| parts.concat());
    prop_oneof![4 => crafted, 1 => "\\PC{0,80}"]
}

const SOME: [&[&str]; 7] =
    [&["tenant"], &["lang"], &["id"], &["lang", "tenant"], &["id", "tenant"], &["id", "lang"], &[]];

proptest! {
    /// P6: whatever the values are, a register of one topic is none of another, and none of other values.
    #[test]
    fn topics_with_different_meanings_have_different_registers(
        events in prop::collection::vec([text(), text(), text()], 2..6)
    ) {
        let prefix = Prefix::new("n");
        let mut meanings: HashMap<String, Vec<(String, String)>> = HashMap::new();
        for event in events {
            let event = Renamed::of(event.each_ref().map(String::as_str));
            let all = [("tenant", ""), ("lang", ""), ("id", "")];
            let meaning = |fields: &[&str]| -> Vec<(String, String)> {
                fields.iter().map(|field| ((*field).to_owned(), event.value(field).to_owned())).collect()
            };
            let one = prefix.render_event(&event).unwrap().to_string();
            let topics = SOME.iter().map(|fields| match fields {
                [] => (prefix.event(Renamed::NAME, "").to_string(), Vec::new()),
                fields => (listened(&event, fields), meaning(fields)),
            });
            for (register, meaning) in topics.chain([(one, meaning(&all.map(|(name, _)| name)))]) {
                let known = meanings.entry(register.clone()).or_insert_with(|| meaning.clone());
                prop_assert_eq!(&*known, &meaning, "{}", register);
            }
        }
    }

    /// Whoever listens by declared fields is reached by every event that agrees in them.
    #[test]
    fn an_emitted_event_reaches_every_listener_that_agrees(event in [text(), text(), text()]) {
        let event = Renamed::of(event.each_ref().map(String::as_str));
        let touched = touched(&event);
        for by in Renamed::BY {
            let mut fields = by.to_vec();
            fields.sort_unstable();
            prop_assert!(touched.contains(&listened(&event, &fields)), "{:?}", fields);
        }
        prop_assert!(touched.contains(&Prefix::new("n").render_event(&event).unwrap().to_string()));
    }
}
