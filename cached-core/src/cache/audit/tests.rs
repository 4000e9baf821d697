use super::*;
use crate::event::Topic;
use crate::site::SiteSpec;

const USER: &[Piece] = &[Piece::Literal("user:"), Piece::Segment("id")];
const UPDATED: EventUse =
    EventUse { name: "UserUpdated", text: "UserUpdated { id }", topic: Topic::One, not_in_key: &[] };
const READ: SiteSpec = SiteSpec { name: "find", file: "a.rs", line: 1, template: USER, ..SiteSpec::DEFAULT };
const WRITE: SiteSpec = SiteSpec { name: "update", file: "a.rs", line: 2, role: Role::Invalidate, ..SiteSpec::DEFAULT };
const DECLARED: EventSpec = EventSpec {
    name: "UserUpdated",
    module: "a",
    file: "a.rs",
    line: 9,
    fields: &["tenant", "id"],
    by: &[],
    emitted_by_hand: false,
    heard_by_hand: false,
};

fn found(specs: &[SiteSpec]) -> Vec<(FindingKind, String)> {
    found_with(&AuditOptions::new(), specs)
}

fn found_with(options: &AuditOptions, specs: &[SiteSpec]) -> Vec<(FindingKind, String)> {
    found_of(options, specs, &DECLARED)
}

fn found_of(options: &AuditOptions, specs: &[SiteSpec], event: &'static EventSpec) -> Vec<(FindingKind, String)> {
    let sites: Vec<&'static Site> = specs.iter().map(|spec| &*Box::leak(Box::new(Site::new(*spec)))).collect();
    found_in(&options.of(&sites, &[event]))
}

fn found_in(audit: &Audit) -> Vec<(FindingKind, String)> {
    audit.findings().iter().map(|finding| (finding.kind(), finding.to_string())).collect()
}

#[test]
fn an_event_must_be_emitted_and_listened_to() {
    let listens = SiteSpec { listens: &[UPDATED], ..READ };
    let emits = SiteSpec { emits: &[UPDATED], ..WRITE };
    assert_eq!(found(&[listens, emits]), []);

    let [(FindingKind::Unemitted, text)] = &found(&[listens])[..] else { panic!("nobody emits it") };
    assert!(text.contains("`UserUpdated`") && text.contains("a.rs:1 `find`"), "{text}");
    let [(FindingKind::Unheard, text)] = &found(&[emits])[..] else { panic!("nobody listens") };
    assert!(text.contains("a.rs:2 `update`"), "{text}");
    let [(FindingKind::Unused, text)] = &found(&[])[..] else { panic!("nobody uses it") };
    assert!(text.contains("a.rs:9"), "{text}");
}

#[test]
fn structs_of_one_event_must_agree() {
    static SITE: Site = Site::new(SiteSpec { listens: &[UPDATED], emits: &[UPDATED], ..READ });
    let audit = |other: EventSpec| {
        let other: &'static EventSpec = Box::leak(Box::new(other));
        found_in(&AuditOptions::new().of(&[&SITE], &[&DECLARED, other]))
    };
    let other = EventSpec { module: "b", file: "b.rs", line: 3, ..DECLARED };
    assert_eq!(audit(other), [], "another service's copy");
    let by = EventSpec { by: &[&["tenant"]], ..other };
    let [(FindingKind::Differing, text)] = &audit(by)[..] else { panic!("only one of them touches the tenant") };
    assert!(text.contains("a.rs:9") && text.contains("b.rs:3 (with tenant, id, by tenant)"), "{text}");
    let fields = EventSpec { fields: &["id", "tenant"], ..other };
    assert!(matches!(&audit(fields)[..], [(FindingKind::Differing, _)]), "an event's own register has them in order");
}

#[test]
fn what_is_done_by_hand_is_one_side_of_an_event() {
    const EMITTED: &EventSpec = &EventSpec { emitted_by_hand: true, ..DECLARED };
    const HEARD: &EventSpec = &EventSpec { heard_by_hand: true, ..DECLARED };
    const BOTH: &EventSpec = &EventSpec { heard_by_hand: true, ..*EMITTED };
    let found = |specs: &[SiteSpec], event| found_of(&AuditOptions::new(), specs, event);
    let listens = SiteSpec { listens: &[UPDATED], ..READ };
    let emits = SiteSpec { emits: &[UPDATED], ..WRITE };
    for (spec, event) in [(listens, EMITTED), (emits, HEARD), (listens, BOTH), (emits, BOTH)] {
        assert_eq!(found(&[spec], event), []);
    }
    assert_eq!(found(&[], BOTH), []);

    let [(FindingKind::Unheard, text)] = &found(&[], EMITTED)[..] else { panic!("nobody listens") };
    assert!(text.contains("`UserUpdated`") && text.contains("code by hand"), "{text}");
    let [(FindingKind::Unemitted, text)] = &found(&[], HEARD)[..] else { panic!("nobody emits it") };
    assert!(text.contains("`UserUpdated`") && text.contains("code by hand"), "{text}");
    assert!(matches!(&found(&[emits], EMITTED)[..], [(FindingKind::Unheard, _)]));
    assert!(matches!(&found(&[listens], HEARD)[..], [(FindingKind::Unemitted, _)]));
}

const TENANT: &[Piece] = &[Piece::Literal("tenant:"), Piece::Segment("tenant")];
const TENNANT: &[Piece] = &[Piece::Literal("tennant:"), Piece::Segment("t")];
const HASHED: &[Piece] = &[Piece::Literal("tenant:"), Piece::Hash("tenant")];
const AUTHOR: &[Piece] = &[Piece::Literal("author:"), Piece::Segment("id")];
const SEVENTH: &[Piece] = &[Piece::Literal("tenant:7")];
const WHOLE: &[Piece] = &[Piece::Segment("tag")];

const fn tag(template: &'static [Piece]) -> TagUse {
    TagUse { template: Some(template), not_in_key: &[] }
}

/// A function whose entries have these tags, and one that invalidates those. Events are left out.
fn found_tags(tags: &[TagUse], untags: &[TagUse]) -> Vec<(FindingKind, String)> {
    let leak = |tags: &[TagUse]| &*Box::leak(tags.to_vec().into_boxed_slice());
    let reads = SiteSpec { tags: leak(tags), ..READ };
    let writes = SiteSpec { untags: leak(untags), emits: &[UPDATED], ..WRITE };
    let hears = SiteSpec { listens: &[UPDATED], template: &[Piece::Literal("hears")], line: 3, name: "hears", ..READ };
    found(&[reads, writes, hears])
}

#[test]
fn a_tag_that_is_invalidated_must_be_one_of_some_entries() {
    assert_eq!(found_tags(&[tag(TENANT)], &[tag(TENANT)]), []);
    let [(FindingKind::UnknownTag, text)] = &found_tags(&[tag(TENANT)], &[tag(TENNANT)])[..] else {
        panic!("it is misspelt")
    };
    assert!(text.contains("a.rs:2 `update` invalidates the tag \"tennant:<t>\""), "{text}");
    assert!(text.contains("did you mean \"tenant:<tenant>\" of a.rs:1 `find`?"), "{text}");
    let [(FindingKind::UnknownTag, text)] = &found_tags(&[tag(TENANT)], &[tag(TENANT), tag(HASHED)])[..] else {
        panic!("it is hashed on one side only")
    };
    assert!(text.contains("\"tenant:<tenant:hash>\"") && text.contains("did you mean"), "{text}");
    let [(FindingKind::UnknownTag, text)] = &found_tags(&[], &[tag(AUTHOR)])[..] else { panic!("nobody has it") };
    assert!(!text.contains("did you mean"), "{text}");
}

#[test]
fn a_tag_that_entries_have_is_misspelt_only_if_it_is_nearly_one_that_is_invalidated() {
    let tags = [tag(TENANT), tag(TENNANT)];
    let [(FindingKind::MisspeltTag, text)] = &found_tags(&tags, &[tag(TENANT)])[..] else { panic!("it is misspelt") };
    assert!(text.contains("have the tag \"tennant:<t>\""), "{text}");
    assert!(text.contains("did you mean \"tenant:<tenant>\", which a.rs:2 `update` invalidates?"), "{text}");
    assert_eq!(found_tags(&[tag(TENANT), tag(AUTHOR)], &[tag(TENANT)]), [], "by hand, probably");
    assert_eq!(found_tags(&tags, &[]), []);
}

#[test]
fn what_may_be_a_tag_of_some_entries_is_not_found() {
    const OF_VALUE: TagUse = TagUse { template: None, not_in_key: &[] };
    assert_eq!(found_tags(&[tag(TENANT)], &[tag(SEVENTH)]), [], "one of them");
    assert_eq!(found_tags(&[tag(SEVENTH)], &[tag(TENANT)]), [], "also the other way round");
    assert_eq!(found_tags(&[tag(WHOLE)], &[tag(AUTHOR)]), [], "the argument may be the whole tag");
    assert_eq!(found_tags(&[tag(AUTHOR)], &[tag(AUTHOR), tag(WHOLE)]), []);
    assert_eq!(found_tags(&[tag(&[Piece::Literal("all")])], &[tag(WHOLE)]), []);
    assert_eq!(found_tags(&[OF_VALUE], &[tag(AUTHOR)]), [], "the closure may render it");
    assert_eq!(found_tags(&[OF_VALUE, tag(TENANT)], &[tag(TENNANT)]).len(), 1, "but not that, which is misspelt");
}

#[test]
fn short_names_that_differ_in_one_letter_are_two_names() {
    const POST: &[Piece] = &[Piece::Literal("post:"), Piece::Segment("id")];
    const COST: &[Piece] = &[Piece::Literal("cost:"), Piece::Segment("id")];
    const TAG: &[Piece] = &[Piece::Literal("tag:"), Piece::Segment("id")];
    const TAX: &[Piece] = &[Piece::Literal("tax:"), Piece::Segment("id")];
    assert_eq!(found_tags(&[tag(POST), tag(COST)], &[tag(POST)]), []);
    assert_eq!(found_tags(&[tag(TAG), tag(TAX)], &[tag(TAG)]), []);
}

#[test]
fn a_value_that_lives_long_must_be_invalidated_by_something() {
    let declared = |spec| SiteSpec { emits: &[UPDATED], listens: &[UPDATED], ..spec };
    let others = declared(WRITE);
    let long = SiteSpec { ttl: TtlSpec::Class("long"), ..READ };
    let [(FindingKind::NeverInvalidated, text)] = &found(&[long, others])[..] else { panic!("it lives for 6 h") };
    assert!(text.contains("a.rs:1 `find`") && text.contains("21600s"), "{text}");
    assert_eq!(found(&[SiteSpec { ttl: TtlSpec::Millis(900_000), ..READ }, others]), [], "the limit itself");
    assert_eq!(found(&[SiteSpec { ttl: TtlSpec::Millis(900_001), ..READ }, others]).len(), 1);
    assert_eq!(found(&[SiteSpec { listens: &[UPDATED], ..long }, others]), []);
    let tagged = SiteSpec { tags: &[TagUse { template: None, not_in_key: &[] }], ..long };
    assert_eq!(found(&[tagged, others]), []);
    let removed = SiteSpec { removes: &[USER], ..others };
    assert_eq!(found(&[long, removed]), [], "by its key");
    let patient = AuditOptions::new().ttl_limit(Duration::from_secs(21_600));
    assert_eq!(found_with(&patient, &[long, others]), []);
    assert_eq!(found_with(&AuditOptions::new().allow("find"), &[long, others]), []);
}

#[test]
fn a_key_must_determine_its_events() {
    const BY_SESSION: EventUse = EventUse { not_in_key: &["session"], ..UPDATED };
    let site = SiteSpec { listens: &[BY_SESSION], emits: &[UPDATED], ..READ };
    let [(FindingKind::Undetermined, text)] = &found(&[site])[..] else { panic!("`session` is not in the key") };
    assert!(text.contains("`session`"), "{text}");
}

#[test]
fn two_functions_must_not_share_a_key() {
    let used = SiteSpec { listens: &[UPDATED], emits: &[UPDATED], ..READ };
    let impls = [used, SiteSpec { line: 2, ..used }];
    let [(FindingKind::Shared, text)] = &found(&impls)[..] else { panic!("they have one key") };
    assert!(text.contains("a.rs:1 `find` and a.rs:2 `find`"), "{text}");
    assert_eq!(found_with(&AuditOptions::new().allow("find"), &impls), []);
    assert_eq!(found(&[used, used]), [], "one function, linked twice");
}

#[test]
fn a_key_that_is_written_must_be_read() {
    const ORDER: &[Piece] = &[Piece::Literal("order:"), Piece::Segment("id")];
    let reads = SiteSpec { listens: &[UPDATED], emits: &[UPDATED], ..READ };
    let removes = SiteSpec { removes: &[USER, ORDER], ..WRITE };
    let [(FindingKind::Unread, text)] = &found(&[reads, removes])[..] else { panic!("nobody reads orders") };
    assert!(text.contains("\"order:<id>\""), "{text}");
    let puts = SiteSpec { role: Role::Put, template: ORDER, ..WRITE };
    assert!(matches!(&found(&[reads, puts])[..], [(FindingKind::Unread, _)]));
    assert_eq!(found(&[reads, SiteSpec { template: USER, ..puts }]), []);
}
