use super::*;
use crate::key::Piece;
use std::num::NonZero;

fn text<T: KeyIdentity + ?Sized>(value: &T) -> String {
    let (mut out, mut failed) = (String::new(), false);
    value.write(&mut SegmentWriter::new(&mut out, &mut failed));
    assert!(!failed);
    out
}

#[test]
fn integers_are_written_as_digits() {
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
fn characters_with_a_meaning_in_keys_are_escaped() {
    assert_eq!(text(&"%:{}()[],"), "%25%3A%7B%7D%28%29%5B%5D%2C");
    assert_eq!(text(&"a\0b\x1fc\x7f"), "a%00b%1Fc%7F");
    assert_eq!(text(&String::from("a:b")), "a%3Ab");
}

#[test]
fn nested_options_are_told_apart() {
    assert_eq!(text(&None::<u8>), "~");
    assert_eq!(text(&Some(1)), "1");
    assert_eq!(text(&Some(None::<u8>)), "~~");
    assert_eq!(text(&Some(Some(None::<u8>))), "~~~");
    assert_eq!(text(&Some("~")), "'~");
}

#[test]
fn lists_and_tuples_are_put_in_brackets() {
    assert_eq!(text(&()), "()");
    assert_eq!(text(&(1,)), "(1)");
    assert_eq!(text(&(1, ("a,b", [2, 3]))), "(1,(a%2Cb,[2,3]))");
    assert_eq!(text(&vec![Some("x"), None]), "[x,~]");
    assert_eq!(text(&[0_u8; 0]), "[]");
    assert_eq!(text(&Box::new(Cow::Borrowed("x"))), "x");
}

#[test]
fn variants_are_written_by_name() {
    struct Variant(Vec<u8>);
    impl KeyIdentity for Variant {
        fn write(&self, out: &mut SegmentWriter<'_>) {
            let fields: Vec<_> = self.0.iter().map(|field| field as &dyn KeyIdentity).collect();
            out.variant("true", &fields);
        }
    }
    assert_eq!(text(&Variant(vec![])), "'true");
    assert_eq!(text(&Variant(vec![1, 2])), "'true(1,2)");
}

#[test]
fn the_order_of_a_set_or_a_map_does_not_matter() {
    let items: [Vec<u64>; 2] = [(0..50).collect(), (0..50).rev().collect()];
    let [a, b] = items.clone().map(|items| text(&items.into_iter().collect::<HashSet<_>>()));
    assert_eq!(a, b);
    let [a, b] = items.map(|items| text(&items.into_iter().map(|n| (n, n)).collect::<HashMap<_, _>>()));
    assert_eq!(a, b);
    assert_eq!(text(&HashSet::from(["b", "a,c"])), "set[a%2Cc,b]");
    assert_eq!(text(&BTreeSet::from([10, 9])), "set[10,9]");
    assert_eq!(text(&BTreeMap::from([(2, "b"), (1, "a")])), "map[(1,a),(2,b)]");
    assert_eq!(text(&HashSet::<u8>::new()), "set[]");
    assert_eq!(text(&VecDeque::from([2, 1])), "[2,1]");
}

#[test]
fn equal_floats_are_written_alike_and_different_ones_are_not() {
    assert_eq!(text(&1.0), "float[1.0]");
    assert_eq!(text(&-0.0), text(&0.0));
    assert_eq!(text(&-0.0_f32), text(&0.0_f32));
    assert_eq!(text(&f64::NAN), text(&-f64::NAN));
    let different = [0.0, 1.0, -1.0, 0.1 + 0.2, 0.3, f64::MIN_POSITIVE, f64::INFINITY, f64::NEG_INFINITY, f64::NAN];
    let forms: HashSet<String> = different.iter().map(text).collect();
    assert_eq!(forms.len(), different.len(), "{forms:?}");
}

#[test]
fn times_and_addresses_are_written() {
    assert_eq!(text(&Duration::from_millis(1500)), "(1,500000000)");
    assert_eq!(text(&(SystemTime::UNIX_EPOCH + Duration::from_nanos(7))), "(0,7)");
    assert_eq!(text(&(SystemTime::UNIX_EPOCH - Duration::from_nanos(7))), "before((0,7))");
    assert_eq!(text(&Ipv4Addr::LOCALHOST), "127.0.0.1");
    assert_eq!(text(&IpAddr::V6(Ipv6Addr::LOCALHOST)), "%3A%3A1");
}

#[test]
fn ranges_are_written_with_their_ends() {
    assert_eq!(text(&(1..5)), "(1,5)");
    assert_eq!(text(&(1..=5)), "(1,5,false)");
    let mut used = 5..=5;
    used.next();
    assert_ne!(text(&used), text(&(5..=5)));
    assert_eq!(text(&(7, PhantomData::<f64>)), "(7,())");
}

#[test]
fn items_of_several_parts_are_put_in_parentheses() {
    struct InARow(Vec<u8>);
    impl KeyIdentity for InARow {
        fn write(&self, out: &mut SegmentWriter<'_>) {
            self.0.iter().for_each(|part| part.write(out));
        }
    }
    let list = |items: &[&[u8]]| text(&items.iter().map(|parts| InARow(parts.to_vec())).collect::<Vec<_>>());
    assert_eq!(list(&[&[1], &[2, 3]]), "[1,(2,3)]");
    assert_eq!(list(&[&[1, 2], &[3]]), "[(1,2),3]");
    assert_eq!(list(&[&[1, 2, 3]]), "[(1,2,3)]");
    assert_eq!(list(&[&[]]), "[()]");
    assert_eq!(list(&[]), "[]");
    assert_eq!(text(&(InARow(vec![1, 2]), [InARow(vec![3, 4])])), "((1,2),[(3,4)])");
    assert_eq!(text(&BTreeMap::from([(1, InARow(vec![2, 3]))])), "map[(1,(2,3))]");
}

#[test]
fn a_path_is_written_by_its_components() {
    for alike in ["a/b", "a//b", "a/./b", "a/b/", "a/b/."] {
        assert_eq!(text(&Path::new(alike)), "a/b");
    }
    let different = ["/a/b", "./a/b", "a/../b", "a/b%", "42", ""].map(|path| text(&PathBuf::from(path)));
    assert_eq!(different, ["/a/b", "./a/b", "a/../b", "a/b%25", "'42", "'"]);
    assert_eq!(text(&Cow::Borrowed(OsStr::new("a:b/"))), "a%3Ab/");
}

#[cfg(unix)]
#[test]
fn what_is_no_text_in_a_path_is_written_byte_by_byte() {
    use std::os::unix::ffi::OsStrExt as _;

    let form = |bytes: &[u8]| text(&OsStr::from_bytes(bytes));
    assert_eq!(form(b"a\xff,b"), "a%FF%2Cb");
    assert_eq!(form("\u{ff}".as_bytes()), "\u{ff}");
    assert_eq!(form(b"\xc3"), "%C3");
    assert_eq!(form(b"\xc3\xbf"), "\u{ff}");
    assert_eq!(form(b"%FF"), "%25FF");
    assert_eq!(text(&Path::new(OsStr::from_bytes(b"a//\xed\xa0\x80"))), "a/%ED%A0%80");
}

#[test]
fn pieces_render_alike_whatever_their_arguments_are_called() {
    use Piece::{All, Hash, Literal, Path, Segment, Serde};
    let alike = [
        (Segment("a"), Segment("b")),
        (Hash("a"), Hash("b")),
        (Serde("a"), Serde("b")),
        (Literal("x"), Literal("x")),
        (All, All),
        (Path, Path),
    ];
    for (a, b) in alike {
        assert!(a.renders_like(b), "{a:?} {b:?}");
    }
    let different = [
        (Segment("a"), Hash("a")),
        (Hash("a"), Serde("a")),
        (Literal("x"), Literal("y")),
        (Hash("a"), All),
        (All, Path),
    ];
    for (a, b) in different {
        assert!(!a.renders_like(b) && !b.renders_like(a), "{a:?} {b:?}");
    }
}
