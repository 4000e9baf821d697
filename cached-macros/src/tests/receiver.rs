use proc_macro2::TokenStream;

use crate::receiver::{in_strings, replaced};

fn replaced_in(tokens: &str) -> String {
    replaced(tokens.parse().unwrap(), "me").to_string()
}

fn same(tokens: &str) -> String {
    tokens.parse::<TokenStream>().unwrap().to_string()
}

#[test]
fn only_the_receiver_is_replaced() {
    for (body, expected) in [
        ("self.db.find(self.id)", "me.db.find(me.id)"),
        ("let a = [self, { &self }]; a", "let a = [me, { &me }]; a"),
        ("println!(\"{}\", self.id)", "println!(\"{}\", me.id)"),
        ("self::rows(self)", "self::rows(me)"),
        ("use a::{self, b}; self", "use a::{self, b}; me"),
        ("fn f(self) { self } self", "fn f(self) { self } me"),
        ("impl A for B { fn f(self) { self } } self", "impl A for B { fn f(self) { self } } me"),
        ("trait A { fn f(self); } self", "trait A { fn f(self); } me"),
        ("let f: fn(u64) = self.f; self", "let f: fn(u64) = me.f; me"),
        ("$self self", "$self me"),
        ("if a { self } else { Self::new(self) }", "if a { me } else { Self::new(me) }"),
        ("let this: Self = self;", "let this: Self = me;"),
        ("x ? self : self", "x ? me : me"),
    ] {
        assert_eq!(replaced_in(body), same(expected));
    }
}

#[test]
fn strings_that_name_the_receiver_are_found() {
    for (body, found) in [
        (r#"println!("{self}")"#, 1),
        (r#"write!(f, "{} {self:?}", a); tracing::info!(a, "{self} {self}")"#, 2),
        (r##"anyhow!(r#"a {self:>8} b"#)"##, 1),
        (r#"let text = "{self}";"#, 0),
        (r#"format!("{{self}} {selfish} {id}")"#, 0),
        (r#"impl Display for A { fn fmt(&self, f: F) { write!(f, "{self}") } } format!("{self}")"#, 1),
        (r#"vec![format!("{self}")]"#, 1),
    ] {
        assert_eq!(in_strings(body.parse().unwrap()).len(), found, "{body}");
    }
}
