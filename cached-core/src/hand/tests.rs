use super::*;
use crate::event::TagUse;
use crate::site::SiteSpec;

const SLUG: &[Piece] = &[Piece::Literal("slug:"), Piece::Segment("slug")];
const ORDER: &[Piece] = &[
    Piece::Literal("order:"),
    Piece::Segment("user"),
    Piece::Literal(":"),
    Piece::Segment("id"),
    Piece::Literal(":full"),
];
const SEARCH: &[Piece] = &[Piece::Literal("search:"), Piece::Hash("q")];

#[test]
fn a_text_fits_a_template_only_as_values_are_rendered() {
    let hash = format!("search:@{}", "0a".repeat(32));
    let long = format!("slug:#{}", "0a".repeat(32));
    for (text, template) in [
        ("slug:rust", SLUG),
        ("slug:a%3Ab", SLUG),
        ("slug:'42", SLUG),
        ("slug:~", SLUG),
        (&long, SLUG),
        ("order:7:42:full", ORDER),
        ("order:a-b:(1,2):full", ORDER),
        (&hash, SEARCH),
    ] {
        assert!(fits(text, template, &["slug"]), "{text}");
    }
    let too_long = format!("slug:{}", "x".repeat(65));
    for (text, template) in [
        ("slug:", SLUG),
        ("slug:42", SLUG),
        ("slug:-1", SLUG),
        ("slug:true", SLUG),
        ("slug:a:b", SLUG),
        ("slug:{a}", SLUG),
        ("slug:100%", SLUG),
        ("slug:a(b)", SLUG),
        (&too_long, SLUG),
        ("order:7:42", ORDER),
        ("order:7:42:9:full", ORDER),
        ("order::42:full", ORDER),
        ("search:rust", SEARCH),
    ] {
        assert!(!fits(text, template, &["slug"]), "{text}");
    }
    assert!(fits("slug:42", SLUG, &[]), "the argument may be a number");
}

#[test]
fn a_text_resembles_a_template_by_its_literals() {
    assert!(resembles("slug:a:b", SLUG) && resembles("order:a:b:c:full", ORDER) && resembles("search:rust", SEARCH));
    assert!(!resembles("slugs:a", SLUG) && !resembles("order:7", ORDER));
    let literal: &[Piece] = &[Piece::Literal("all")];
    let tenant: &[Piece] = &[Piece::Segment("tenant"), Piece::Literal(":all")];
    assert!(!resembles("all:x", literal) && !resembles("a:b:all", tenant));
}

#[test]
fn a_tag_is_that_of_a_template_whatever_text_stands_in_it() {
    let author: &[Piece] = &[Piece::Literal("author:"), Piece::Segment("name")];
    let both: &[Piece] = &[Piece::Segment("a"), Piece::Literal(":of:"), Piece::Segment("b")];
    let hashed: &[Piece] = &[Piece::Literal("q:"), Piece::Hash("q")];
    for (text, template) in [("author:1984", author), ("author:a: b%", author), ("author:", author), ("x:y:of:", both)]
    {
        assert!(reads_like(text, template), "{text}");
    }
    assert!(reads_like(&format!("q:@{}", "0a".repeat(32)), hashed));
    for (text, template) in [("autor:Ada", author), ("x:y", both), ("q:rust", hashed)] {
        assert!(!reads_like(text, template), "{text}");
    }
}

#[test]
fn a_part_that_is_a_star_is_a_pattern() {
    assert!(["*", "user:*", "user:7:*", "user:*:name"].iter().all(|text| is_pattern(text)));
    // A search text may end with a star.
    assert!(!["user:7", "2*3", "a*b:c", "search:what is C*"].iter().any(|text| is_pattern(text)));
}

fn templates_with_tag(tag: Option<&'static [Piece]>) -> Templates {
    let tags: &'static [TagUse] = Box::leak(Box::new([TagUse { template: tag, not_in_key: &[] }]));
    let spec = SiteSpec { template: SLUG, texts: &["slug"], tags, ..SiteSpec::DEFAULT };
    Templates::of(vec![Box::leak(Box::new(Site::new(spec)))])
}

#[test]
fn names_of_functions_and_names_used_by_hand_are_known() {
    let templates = templates_with_tag(Some(&[Piece::Literal("author:"), Piece::Segment("id")]));
    assert!(matches!(judge(Kind::Key, "slug:rust", &templates), Verdict::Named));
    assert!(matches!(judge(Kind::Key, "slug:a:b", &templates), Verdict::Unescaped(..)));
    assert!(matches!(judge(Kind::Key, "hand-slgu:rust", &templates), Verdict::Unknown));
    uses(Kind::Key, "hand-slgu:other");
    assert!(matches!(judge(Kind::Key, "hand-slgu:rust", &templates), Verdict::Named));
    assert!(matches!(judge(Kind::Tag, "author:7", &templates), Verdict::Named));
    assert!(
        matches!(judge(Kind::Tag, "hand-slgu:rust", &templates), Verdict::Unknown),
        "it was used as a key, not as a tag"
    );
}

#[test]
fn without_annotated_functions_no_name_is_unknown() {
    assert!(matches!(judge(Kind::Key, "nobody-has:7", &Templates::of(Vec::new())), Verdict::Named));
}

#[test]
fn a_family_is_the_text_before_the_first_colon() {
    let families = Families::new();
    assert!(families.is_empty() && !families.has("user:1"));
    families.add("user:1");
    assert!(families.has("user:2") && families.has("user") && !families.has("order:1") && !families.is_empty());
}
