use super::*;
use crate::key::Piece;
use std::num::NonZero;

fn text(value: &dyn KeySegment) -> String {
    let (mut out, mut failed) = (String::new(), false);
    value.write(&mut SegmentWriter::new(&mut out, &mut failed));
    assert!(!failed);
    out
}

#[test]
fn numbers_are_their_digits() {
    assert_eq!(text(&u64::MAX), "18446744073709551615");
    assert_eq!(text(&i128::MIN), "-170141183460469231731687303715884105728");
    assert_eq!(text(&u128::MAX), "340282366920938463463374607431768211455");
    assert_eq!(text(&7_usize), "7");
    assert_eq!(text(&-7_isize), "-7");
    assert_eq!(text(&NonZero::<u8>::MAX), "255");
}

#[test]
fn text_that_looks_like_something_else_is_marked() {
    for marked in ["", "'", "~x", "#x", "@x", "true", "false", "0", "-1", "42"] {
        assert_eq!(text(&marked), format!("'{marked}"));
    }
    for plain in ["x", "-", "x'", "4x", "-x", "--1", "truest", "a b", "ü"] {
        assert_eq!(text(&plain), plain);
    }
    assert_eq!(text(&true), "true");
    assert_eq!(text(&false), "false");
    assert_eq!(text(&'7'), "'7");
    assert_eq!(text(&'x'), "x");
}

#[test]
fn what_has_a_meaning_in_keys_is_escaped() {
    assert_eq!(text(&"%:{}()[],"), "%25%3A%7B%7D%28%29%5B%5D%2C");
    assert_eq!(text(&"a\0b\x1fc\x7f"), "a%00b%1Fc%7F");
    assert_eq!(text(&String::from("a:b")), "a%3Ab");
}

#[test]
fn every_option_inside_of_another_shows() {
    assert_eq!(text(&None::<u8>), "~");
    assert_eq!(text(&Some(1)), "1");
    assert_eq!(text(&Some(None::<u8>)), "~~");
    assert_eq!(text(&Some(Some(None::<u8>))), "~~~");
    assert_eq!(text(&Some("~")), "'~");
}

#[test]
fn lists_and_tuples_have_borders() {
    assert_eq!(text(&()), "()");
    assert_eq!(text(&(1,)), "(1)");
    assert_eq!(text(&(1, ("a,b", [2, 3]))), "(1,(a%2Cb,[2,3]))");
    assert_eq!(text(&vec![Some("x"), None]), "[x,~]");
    assert_eq!(text(&[0_u8; 0]), "[]");
    assert_eq!(text(&Box::new(Cow::Borrowed("x"))), "x");
}

#[test]
fn variants_begin_with_their_name() {
    struct Variant(Vec<u8>);
    impl KeySegment for Variant {
        fn write(&self, out: &mut SegmentWriter<'_>) {
            let fields: Vec<_> = self.0.iter().map(|field| field as &dyn KeySegment).collect();
            out.variant("true", &fields);
        }
    }
    assert_eq!(text(&Variant(vec![])), "'true");
    assert_eq!(text(&Variant(vec![1, 2])), "'true(1,2)");
}

#[cfg(feature = "uuid")]
#[test]
fn a_uuid_is_written_as_people_do() {
    assert_eq!(text(&uuid::Uuid::from_u128(0xAB)), "00000000-0000-0000-0000-0000000000ab");
}

#[test]
fn pieces_render_alike_whatever_their_arguments_are_called() {
    use Piece::{All, Hash, Literal, Path, Segment};
    let alike =
        [(Segment("a"), Segment("b")), (Hash("a"), Hash("b")), (Literal("x"), Literal("x")), (All, All), (Path, Path)];
    for (a, b) in alike {
        assert!(a.renders_like(b), "{a:?} {b:?}");
    }
    let different = [(Segment("a"), Hash("a")), (Literal("x"), Literal("y")), (Hash("a"), All), (All, Path)];
    for (a, b) in different {
        assert!(!a.renders_like(b) && !b.renders_like(a), "{a:?} {b:?}");
    }
}
