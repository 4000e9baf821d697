//! Types before and after a change, in two modules: the shape shows each change.

use crate::fingerprint::trace::shape_of;

/// Checks that the shape shows the change and nothing else, and whether the whole shape is known.
fn compare<Before, Same, After>(name: &str, is_whole: bool)
where
    Before: serde::de::DeserializeOwned,
    Same: serde::de::DeserializeOwned,
    After: serde::de::DeserializeOwned,
{
    let (before, same, after) = (shape_of::<Before>(), shape_of::<Same>(), shape_of::<After>());
    assert_eq!(before.text, same.text, "{name}: the same type in another module");
    assert!(!is_whole || before.text != after.text, "{name}: before and after: {}", before.text);
    assert_eq!(before.is_partial, !is_whole, "{name}: {}", before.text);
}

macro_rules! changes {
    ($($name:ident $is_whole:literal: { $($before:tt)* } => { $($after:tt)* })*) => {$(
        #[test]
        fn $name() {
            mod before {
                changes!(@types $($before)*);
            }
            mod same {
                changes!(@types $($before)*);
            }
            mod after {
                changes!(@types $($after)*);
            }
            compare::<before::T, same::T, after::T>(stringify!($name), $is_whole);
            compare::<Vec<before::T>, Vec<same::T>, Vec<after::T>>(concat!("list of ", stringify!($name)), $is_whole);
            let (before, after) = (shape_of::<(before::T, before::T)>(), shape_of::<(before::T, after::T)>());
            assert!(before.text != after.text || after.is_partial, "the second of two");
        }
    )*};
    (@types $($item:item)*) => {
        $(
            #[derive(serde::Deserialize)]
            #[expect(dead_code, reason = "only traced")]
            $item
        )*
    };
}

changes! {
    tagged_retyped true:
        { #[serde(tag = "kind")] pub(super) enum T { Paid { amount: u64 } } } =>
        { #[serde(tag = "kind")] pub(super) enum T { Paid { amount: f64 } } }
    tagged_added true:
        { #[serde(tag = "kind")] pub(super) enum T { Paid { amount: u64 }, Open } } =>
        { #[serde(tag = "kind")] pub(super) enum T { Paid { amount: u64, tax: u64 }, Open } }
    tagged_optional_added true:
        { #[serde(tag = "kind")] pub(super) enum T { Open, Paid { amount: u64 } } } =>
        { #[serde(tag = "kind")] pub(super) enum T { Open, Paid { amount: u64, note: Option<String> } } }
    tagged_optional_renamed true:
        { #[serde(tag = "kind")] pub(super) enum T { Paid { amount: u64, note: Option<String> } } } =>
        { #[serde(tag = "kind")] pub(super) enum T { Paid { amount: u64, memo: Option<String> } } }
    tagged_optional_retyped true:
        { #[serde(tag = "kind")] pub(super) enum T { Paid { note: Option<u64>, amount: u64 } } } =>
        { #[serde(tag = "kind")] pub(super) enum T { Paid { note: Option<i64>, amount: u64 } } }
    tagged_default_retyped true:
        { #[serde(tag = "kind")] pub(super) enum T { Paid { #[serde(default)] tags: Vec<String>, amount: u64 } } } =>
        { #[serde(tag = "kind")] pub(super) enum T { Paid { #[serde(default)] tags: Vec<u8>, amount: u64 } } }
    tagged_made_optional true:
        { #[serde(tag = "kind")] pub(super) enum T { Paid { amount: u64 } } } =>
        { #[serde(tag = "kind")] pub(super) enum T { Paid { amount: Option<u64> } } }
    tagged_defaulted true:
        { #[serde(tag = "kind")] pub(super) enum T { Paid { amount: u64 } } } =>
        { #[serde(tag = "kind")] pub(super) enum T { Paid { #[serde(default)] amount: u64 } } }
    tag_renamed true:
        { #[serde(tag = "kind")] pub(super) enum T { Paid { amount: u64 } } } =>
        { #[serde(tag = "type")] pub(super) enum T { Paid { amount: u64 } } }
    tagged_variant_renamed true:
        { #[serde(tag = "kind")] pub(super) enum T { Paid { amount: u64 }, Open } } =>
        { #[serde(tag = "kind")] pub(super) enum T { Paid { amount: u64 }, Opened } }
    tagged_last_variant_retyped true:
        { #[serde(tag = "kind")] pub(super) enum T { A, B { b: u8 }, C { b: u8 }, D(S) } pub(super) struct S { b: u8, s: String } } =>
        { #[serde(tag = "kind")] pub(super) enum T { A, B { b: u8 }, C { b: u8 }, D(S) } pub(super) struct S { b: u8, s: bool } }
    tagged_strict_retyped true:
        { #[serde(tag = "kind", deny_unknown_fields)] pub(super) enum T { Paid { amount: u64, at: Option<u8> } } } =>
        { #[serde(tag = "kind", deny_unknown_fields)] pub(super) enum T { Paid { amount: u64, at: Option<i8> } } }
    tagged_in_tagged_retyped true:
        {
            #[serde(tag = "kind")] pub(super) enum T { In(U), Out { to: u8 } }
            #[serde(tag = "way")] pub(super) enum U { Cash { sum: u32 }, Card { number: String } }
        } => {
            #[serde(tag = "kind")] pub(super) enum T { In(U), Out { to: u8 } }
            #[serde(tag = "way")] pub(super) enum U { Cash { sum: u32 }, Card { number: Vec<u8> } }
        }
    nested_struct_retyped true:
        {
            #[serde(tag = "kind")] pub(super) enum T { Paid { by: Person, amount: u64 } }
            pub(super) struct Person { name: String, home: Address }
            pub(super) struct Address { zip: Option<u32>, city: String }
        } => {
            #[serde(tag = "kind")] pub(super) enum T { Paid { by: Person, amount: u64 } }
            pub(super) struct Person { name: String, home: Address }
            pub(super) struct Address { zip: Option<f32>, city: String }
        }
    nested_enum_retyped true:
        {
            #[serde(tag = "kind")] pub(super) enum T { Paid { by: Vec<Way> } }
            pub(super) enum Way { Cash, Card(u8), Cheque { number: u64, bank: Option<String> } }
        } => {
            #[serde(tag = "kind")] pub(super) enum T { Paid { by: Vec<Way> } }
            pub(super) enum Way { Cash, Card(u8), Cheque { number: u64, bank: Option<u8> } }
        }
    nested_tuple_and_map_retyped true:
        { #[serde(tag = "kind")] pub(super) enum T { Paid { by: std::collections::HashMap<String, (u8, Option<String>, bool)> } } } =>
        { #[serde(tag = "kind")] pub(super) enum T { Paid { by: std::collections::HashMap<String, (u8, Option<String>, char)> } } }
    nested_map_by_number_retyped true:
        { #[serde(tag = "kind")] pub(super) enum T { Paid { by: std::collections::HashMap<u64, Vec<u8>>, at: u8 } } } =>
        { #[serde(tag = "kind")] pub(super) enum T { Paid { by: std::collections::HashMap<u64, Vec<u16>>, at: u8 } } }
    behind_a_date_retyped true:
        { #[serde(tag = "kind")] pub(super) enum T { Paid { by: (std::net::Ipv4Addr, u8), at: u8 } } } =>
        { #[serde(tag = "kind")] pub(super) enum T { Paid { by: (std::net::Ipv4Addr, i8), at: u8 } } }
    content_retyped true:
        { #[serde(tag = "t", content = "c")] pub(super) enum T { Unit, One(u64), Two(u8, u8), Paid { amount: u64 } } } =>
        { #[serde(tag = "t", content = "c")] pub(super) enum T { Unit, One(u64), Two(u8, u8), Paid { amount: f64 } } }
    content_item_retyped true:
        { #[serde(tag = "t", content = "c")] pub(super) enum T { Unit, One(u64), Two(u8, u8) } } =>
        { #[serde(tag = "t", content = "c")] pub(super) enum T { Unit, One(u64), Two(u8, i8) } }
    content_newtype_retyped true:
        { #[serde(tag = "t", content = "c")] pub(super) enum T { Two(u8, u8), One(Option<u64>) } } =>
        { #[serde(tag = "t", content = "c")] pub(super) enum T { Two(u8, u8), One(Option<i64>) } }
    content_optional_added true:
        { #[serde(tag = "t", content = "c", rename = "x")] pub(super) enum T { Paid { amount: u64 } } } =>
        { #[serde(tag = "t", content = "c", rename = "x")] pub(super) enum T { Paid { amount: u64, note: Option<u8> } } }
    content_renamed true:
        { #[serde(tag = "t", content = "c")] pub(super) enum T { Paid { amount: u64 } } } =>
        { #[serde(tag = "t", content = "d")] pub(super) enum T { Paid { amount: u64 } } }
    content_in_tagged_retyped true:
        {
            #[serde(tag = "kind")] pub(super) enum T { Paid { way: Way } }
            #[serde(tag = "t", content = "c")] pub(super) enum Way { Cash, Card(u8), Other { a: String } }
        } => {
            #[serde(tag = "kind")] pub(super) enum T { Paid { way: Way } }
            #[serde(tag = "t", content = "c")] pub(super) enum Way { Cash, Card(u8), Other { a: bool } }
        }
    untagged_retyped true:
        { #[serde(untagged)] pub(super) enum T { A { id: u64, name: String }, B { id: u64 }, C(String) } } =>
        { #[serde(untagged)] pub(super) enum T { A { id: u64, name: String }, B { id: i64 }, C(String) } }
    untagged_optional_added true:
        { #[serde(untagged)] pub(super) enum T { A { id: u64, name: String }, B { id: u64 } } } =>
        { #[serde(untagged)] pub(super) enum T { A { id: u64, name: String }, B { id: u64, note: Option<u8> } } }
    untagged_optional_renamed true:
        { #[serde(untagged)] pub(super) enum T { A { id: u64, name: String }, B { id: u64, note: Option<u8> } } } =>
        { #[serde(untagged)] pub(super) enum T { A { id: u64, name: String }, B { id: u64, memo: Option<u8> } } }
    untagged_variant_added true:
        { #[serde(untagged)] pub(super) enum T { A { id: u64 }, B(Vec<u8>) } } =>
        { #[serde(untagged)] pub(super) enum T { A { id: u64 }, B(Vec<u8>), C(bool) } }
    untagged_newtype_retyped true:
        { #[serde(untagged)] pub(super) enum T { A(S), B(Vec<S>) } pub(super) struct S { id: u64, at: Option<u8> } } =>
        { #[serde(untagged)] pub(super) enum T { A(S), B(Vec<S>) } pub(super) struct S { id: u64, at: Option<i8> } }
    flatten_retyped true:
        { pub(super) struct T { id: u64, #[serde(flatten)] page: Page } pub(super) struct Page { next: String, size: u64 } } =>
        { pub(super) struct T { id: u64, #[serde(flatten)] page: Page } pub(super) struct Page { next: String, size: f64 } }
    flatten_added true:
        { pub(super) struct T { id: u64, #[serde(flatten)] page: Page } pub(super) struct Page { next: String, size: u64 } } =>
        { pub(super) struct T { id: u64, #[serde(flatten)] page: Page } pub(super) struct Page { next: String, size: u64, all: u64 } }
    flatten_renamed true:
        { pub(super) struct T { id: u64, #[serde(flatten)] page: Page } pub(super) struct Page { next: String, size: u64 } } =>
        { pub(super) struct T { id: u64, #[serde(flatten)] page: Page } pub(super) struct Page { next: String, all: u64 } }
    flatten_beside_retyped true:
        { pub(super) struct T { #[serde(flatten)] page: Page, id: u64 } pub(super) struct Page { next: String, size: u64 } } =>
        { pub(super) struct T { #[serde(flatten)] page: Page, id: i64 } pub(super) struct Page { next: String, size: u64 } }
    flatten_optional_in_padding_renamed false:
        { pub(super) struct T { id: u64, #[serde(flatten)] page: Page } pub(super) struct Page { size: u32, last: Option<bool> } } =>
        { pub(super) struct T { id: u64, #[serde(flatten)] page: Page } pub(super) struct Page { size: u32, next: Option<bool> } }
    flatten_default_in_padding_retyped false:
        { pub(super) struct T { id: u64, #[serde(flatten)] page: Page } pub(super) struct Page { size: u32, #[serde(default)] last: u8 } } =>
        { pub(super) struct T { id: u64, #[serde(flatten)] page: Page } pub(super) struct Page { size: u32, #[serde(default)] last: i8 } }
    flatten_rest_retyped true:
        { pub(super) struct T { id: u64, #[serde(flatten)] rest: std::collections::HashMap<String, String> } } =>
        { pub(super) struct T { id: u64, #[serde(flatten)] rest: std::collections::HashMap<String, u8> } }
    flatten_optional_added false:
        { pub(super) struct T { id: u64, #[serde(flatten)] page: Page } pub(super) struct Page { next: Option<String>, size: u32 } } =>
        { pub(super) struct T { id: u64, #[serde(flatten)] page: Page } pub(super) struct Page { next: Option<String>, size: u64 } }
    flatten_tagged_retyped false:
        {
            pub(super) struct T { id: u64, #[serde(flatten)] what: What }
            #[serde(tag = "kind")] pub(super) enum What { Paid { amount: u64 }, Open }
        } => {
            pub(super) struct T { id: u64, #[serde(flatten)] what: What }
            #[serde(tag = "kind")] pub(super) enum What { Paid { amount: f64 }, Open }
        }
    tagged_with_other false:
        { #[serde(tag = "kind")] pub(super) enum T { Paid { amount: u64 }, #[serde(other)] Open } } =>
        { #[serde(tag = "kind")] pub(super) enum T { Paid { amount: f64 }, #[serde(other)] Open } }
    tuple_behind_a_struct_retyped true:
        { pub(super) struct T(S, u8); pub(super) struct S { a: u8, b: String } } =>
        { pub(super) struct T(S, i8); pub(super) struct S { a: u8, b: String } }
    map_behind_an_address_retyped true:
        { pub(super) struct T { by: std::collections::HashMap<std::net::IpAddr, S> } pub(super) struct S { a: u8, b: String } } =>
        { pub(super) struct T { by: std::collections::HashMap<std::net::IpAddr, S> } pub(super) struct S { a: u8, b: bool } }
    beside_anything_retyped true:
        { pub(super) struct T { any: serde_json::Value, b: u8 } } =>
        { pub(super) struct T { any: serde_json::Value, b: i8 } }
    generic_retyped true:
        { #[serde(tag = "kind")] pub(super) enum U<A> { One { a: A } } #[serde(transparent)] pub(super) struct T(U<u8>); } =>
        { #[serde(tag = "kind")] pub(super) enum U<A> { One { a: A } } #[serde(transparent)] pub(super) struct T(U<i8>); }
    recursive_retyped true:
        { #[serde(tag = "kind")] pub(super) enum T { Leaf { a: u8 }, Node { left: Box<T>, right: Option<Box<T>>, all: Vec<T>, b: u8 } } } =>
        { #[serde(tag = "kind")] pub(super) enum T { Leaf { a: u8 }, Node { left: Box<T>, right: Option<Box<T>>, all: Vec<T>, b: i8 } } }
    recursive_untagged_retyped true:
        { #[serde(untagged)] pub(super) enum T { Leaf(u8), Node { all: Vec<T>, b: u8 } } } =>
        { #[serde(untagged)] pub(super) enum T { Leaf(u8), Node { all: Vec<T>, b: i8 } } }
    recursive_without_a_name true:
        { #[serde(transparent)] pub(super) struct T(Vec<U>); #[serde(tag = "kind")] pub(super) enum U { A { t: T, b: u8 } } } =>
        { #[serde(transparent)] pub(super) struct T(Vec<U>); #[serde(tag = "kind")] pub(super) enum U { A { t: T, b: i8 } } }
    transparent_in_itself false:
        { #[serde(transparent)] pub(super) struct T(Vec<T>); } => { #[serde(transparent)] pub(super) struct T(std::collections::HashMap<u8, T>); }
    flatten_in_tagged_retyped false:
        {
            #[serde(tag = "kind")] pub(super) enum T { A(S), B { b: u8 } }
            pub(super) struct S { id: u64, #[serde(flatten)] page: Page } pub(super) struct Page { next: String }
        } => {
            #[serde(tag = "kind")] pub(super) enum T { A(S), B { b: u8 } }
            pub(super) struct S { id: u64, #[serde(flatten)] page: Page } pub(super) struct Page { next: u8 }
        }
    flatten_of_optional_fields_only false:
        { #[serde(tag = "kind")] pub(super) enum T { A { #[serde(flatten)] page: Page } } pub(super) struct Page { next: Option<String> } } =>
        { #[serde(tag = "kind")] pub(super) enum T { A { #[serde(flatten)] page: Page } } pub(super) struct Page { last: Option<String> } }
    flatten_twice_retyped true:
        { pub(super) struct T { id: u64, #[serde(flatten)] a: A, #[serde(flatten)] b: B } pub(super) struct A { a: String } pub(super) struct B { b: u64 } } =>
        { pub(super) struct T { id: u64, #[serde(flatten)] a: A, #[serde(flatten)] b: B } pub(super) struct A { a: String } pub(super) struct B { b: f64 } }
    untagged_flatten_retyped false:
        { #[serde(untagged)] pub(super) enum T { A { id: u64 }, B { no: u64, #[serde(flatten)] page: Page } } pub(super) struct Page { next: Option<String> } } =>
        { #[serde(untagged)] pub(super) enum T { A { id: u64 }, B { no: u64, #[serde(flatten)] page: Page } } pub(super) struct Page { last: Option<String> } }
    several_buffers_retyped true:
        { pub(super) struct T { a: U, b: Option<U>, c: Vec<U> } #[serde(tag = "kind")] pub(super) enum U { A { a: u8 } } } =>
        { pub(super) struct T { a: U, b: Option<U>, c: Vec<U> } #[serde(tag = "kind")] pub(super) enum U { A { a: i8 } } }
    read_by_hand_from_anything true:
        { pub(super) struct T { #[serde(deserialize_with = "super::text_or_number")] a: u64, b: u8 } } =>
        { pub(super) struct T { #[serde(deserialize_with = "super::text_or_number")] a: u64, b: i8 } }
}

/// A common helper that people write by hand.
fn text_or_number<'de, D: serde::Deserializer<'de>>(from: D) -> Result<u64, D::Error> {
    struct Either;
    impl serde::de::Visitor<'_> for Either {
        type Value = u64;
        fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("a number or a text of one")
        }
        fn visit_u64<E>(self, number: u64) -> Result<u64, E> {
            Ok(number)
        }
        fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<u64, E> {
            text.parse().map_err(E::custom)
        }
    }
    from.deserialize_any(Either)
}

macro_rules! many {
    ($($variant:ident)*) => {
        #[derive(serde::Deserialize)]
        #[serde(tag = "kind")]
        #[expect(dead_code, reason = "only traced")]
        enum Many {
            $($variant { id: u64, name: String, at: Option<u64>, by: Option<Person>, tags: Vec<String>, price: f64, way: Way, ok: bool },)*
        }
    };
}

many! { A B C D E F G H I J K L M N O P Q R S T U V W X Y Z }

#[derive(serde::Deserialize)]
#[expect(dead_code, reason = "only traced")]
struct Person {
    name: String,
    mail: Option<String>,
}

#[derive(serde::Deserialize)]
#[expect(dead_code, reason = "only traced")]
enum Way {
    Cash,
    Card { number: String },
}

#[test]
fn the_whole_shape_of_an_enum_of_many_variants_is_found() {
    assert!(!shape_of::<Many>().is_partial);
}

#[test]
fn the_search_in_a_type_that_is_too_large_ends_and_the_shape_counts_as_partial() {
    #[derive(serde::Deserialize)]
    #[serde(untagged)]
    #[expect(dead_code, reason = "only traced")]
    enum More {
        A { many: Many, again: Many },
        B { many: Many, again: Box<More> },
    }
    assert!(shape_of::<More>().is_partial);
}
