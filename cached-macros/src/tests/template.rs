use crate::template::{Form, Piece, Placeholder, braced, parse, parse_tag};

fn literal(text: &str) -> Piece {
    Piece::Literal(text.to_owned())
}

fn placeholder(at: std::ops::Range<usize>, root: &str, fields: &[&str], form: Form) -> Piece {
    let fields = fields.iter().map(|&field| field.to_owned()).collect();
    Piece::Placeholder(Placeholder { at, root: root.to_owned(), fields, form })
}

#[test]
fn templates_are_split() {
    let cases = [
        ("users", vec![literal("users")]),
        ("user:<id>", vec![literal("user:"), placeholder(5..9, "id", &[], Form::Plain)]),
        (
            "<a.b.0>:<q:hash>",
            vec![
                placeholder(0..7, "a", &["b", "0"], Form::Plain),
                literal(":"),
                placeholder(8..16, "q", &[], Form::Hash),
            ],
        ),
        ("<q:serde>", vec![placeholder(0..9, "q", &[], Form::Serde)]),
        ("<*>", vec![Piece::All]),
        ("a<<b>>c", vec![literal("a<b>c")]),
        ("<<<id>>>", vec![literal("<"), placeholder(2..6, "id", &[], Form::Plain), literal(">")]),
        ("ü<größe>", vec![literal("ü"), placeholder(2..11, "größe", &[], Form::Plain)]),
        ("{users}:<id>", vec![literal("{users}:"), placeholder(8..12, "id", &[], Form::Plain)]),
        (
            "{<tenant>}<id>",
            vec![
                literal("{"),
                placeholder(1..9, "tenant", &[], Form::Plain),
                literal("}"),
                placeholder(10..14, "id", &[], Form::Plain),
            ],
        ),
        ("<a><b:hash>", vec![placeholder(0..3, "a", &[], Form::Plain), placeholder(3..11, "b", &[], Form::Hash)]),
    ];
    for (template, expected) in cases {
        assert_eq!(parse(template), Ok(expected), "{template}");
    }
}

#[test]
fn says_what_is_wrong() {
    let cases = [
        "",
        "<>",
        "a<id",
        "a<id<b>",
        "id>",
        "<id>>",
        "<id:hsh>",
        "<id:sha256>",
        "<*:hash>",
        "<*:serde>",
        "<user.id()>",
        "< id >",
        "<r#type>",
        "<a..b>",
        "<.a>",
        "<1>",
        "<a-b>",
        "<a:hash:hash>",
        "<a:sered>",
        "a\nb",
        "{}",
        "{a",
        "a}",
        "{a}{b}",
        "{a}}",
        "{{a}",
        "<a><b>",
        "<a>-<b.c>",
        "<a><h:hash><b>",
    ];
    let report = cases.map(|template| {
        let fault = parse(template).expect_err(template);
        let marked = template.get(fault.at.clone()).unwrap_or_else(|| panic!("{template}: {fault:?}"));
        format!("{template:?} at {marked:?}\n    {}", fault.message)
    });
    snapshot!(report.join("\n"));
}

#[test]
fn texts_in_braces_are_found() {
    let found = |template| braced(template).collect::<Vec<_>>();
    assert_eq!(found("{users}:<id>:{lang}"), [("users", 0..7), ("lang", 13..19)]);
    assert_eq!(found("ü{self.größe}"), [("self.größe", 2..16)]);
    assert_eq!(found("{<tenant>}:{a{b}:}{c"), [("b", 13..16)]);
}

#[test]
fn tags_are_for_many_and_stand_alone() {
    assert_eq!(parse_tag("tenant:<id>"), Ok(vec![literal("tenant:"), placeholder(7..11, "id", &[], Form::Plain)]));
    assert_eq!(parse_tag("all"), Ok(vec![literal("all")]));
    let report = ["", "{users}", "user:<*>", "<a><b>", "a\nb", "<a"].map(|template| {
        let fault = parse_tag(template).expect_err(template);
        format!("{template:?}\n    {}", fault.message)
    });
    snapshot!(report.join("\n"));
}
