use super::*;
use crate::event::Topic;
use crate::site::SiteSpec;

const USER: &[Piece] = &[Piece::Literal("user:"), Piece::Segment("id")];
const UPDATED: EventUse =
    EventUse { name: "UserUpdated", text: "UserUpdated { id }", topic: Topic::One, not_in_key: &[] };
const READ: SiteSpec = SiteSpec { name: "find", file: "a.rs", line: 1, template: USER, ..SiteSpec::DEFAULT };
const WRITE: SiteSpec = SiteSpec { name: "update", file: "a.rs", line: 2, role: Role::Invalidate, ..SiteSpec::DEFAULT };
const DECLARED: EventSpec =
    EventSpec { name: "UserUpdated", module: "a", file: "a.rs", line: 9, fields: &["tenant", "id"], by: &[] };

fn found(specs: &[SiteSpec]) -> Vec<(FindingKind, String)> {
    found_with(&AuditOptions::new(), specs)
}

fn found_with(options: &AuditOptions, specs: &[SiteSpec]) -> Vec<(FindingKind, String)> {
    let sites: Vec<&'static Site> = specs.iter().map(|spec| &*Box::leak(Box::new(Site::new(*spec)))).collect();
    found_in(&options.of(&sites, &[&DECLARED]))
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
