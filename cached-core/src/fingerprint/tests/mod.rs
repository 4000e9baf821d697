//! Fingerprints before and after a change of a type.

mod changes;

use super::trace;
use super::{Codec, DeserializeOwned, generics, of, of_errors};
use serde::Deserialize;
use std::collections::HashMap;

fn shape_of<T: DeserializeOwned>() -> String {
    trace::shape_of::<T>().text
}

mod before {
    #[derive(serde::Deserialize)]
    #[expect(dead_code, reason = "only traced")]
    pub(super) struct User {
        id: u64,
        tags: Vec<String>,
    }
}

mod after {
    #[derive(serde::Deserialize)]
    #[expect(dead_code, reason = "only traced")]
    pub(super) struct User {
        id: u64,
        tags: Vec<u8>,
    }
}

#[test]
fn a_change_inside_a_field_changes_the_shape() {
    assert_ne!(shape_of::<before::User>(), shape_of::<after::User>());
    assert_eq!(shape_of::<Option<u8>>(), "option;u8;");
    let user = shape_of::<before::User>();
    assert!(user.contains(r#"["id", "tags"];User;id;u64;"#) && user.contains("tags;seq;string;"), "{user}");
}

#[test]
fn errors_have_fingerprints_of_their_own() {
    let values = |version| of::<String>(Codec::Json, version, "user:\0segment", "").value;
    let errors = of_errors::<String>(values(None), None).value;
    assert_ne!(errors, values(None), "though the type is the same");
    assert_eq!(errors, of_errors::<String>(values(None), None).value);
    assert_ne!(errors, of_errors::<String>(values(Some(2)), Some(2)).value, "another version, codec or key");
    assert_ne!(of_errors::<before::User>(1, None), of_errors::<after::User>(1, None));
}

/// The types differ in places that a made-up value does not reach in a single pass.
#[test]
fn a_type_that_rejects_made_up_values_hides_nothing_behind_it() {
    macro_rules! variants {
        ($($name:ident: $ty:ty;)*) => {$(
            mod $name {
                #[derive(serde::Deserialize)]
                #[expect(dead_code, reason = "only traced")]
                pub(super) struct S {
                    address: std::net::IpAddr,
                    tree: Option<Box<S>>,
                    last: $ty,
                    either: E,
                }
                #[derive(serde::Deserialize)]
                #[expect(dead_code, reason = "only traced")]
                pub(super) enum E {
                    First(std::net::IpAddr),
                    Second { value: $ty },
                }
            }
        )*};
    }
    variants! { unsigned: u32; signed: i32; }
    let shapes = [shape_of::<unsigned::S>(), shape_of::<signed::S>()];
    assert_ne!(shapes[0], shapes[1]);
    assert!(shapes[0].contains("last;u32;") && shapes[0].contains("value;u32;"), "{}", shapes[0]);
}

#[derive(Deserialize)]
#[expect(dead_code, reason = "only traced")]
struct Tree {
    children: Vec<Tree>,
    parent: Option<Box<Tree>>,
    attributes: HashMap<String, Tree>,
}

#[test]
fn the_shape_of_a_recursive_type_is_finite() {
    assert!(shape_of::<Tree>().len() < 100_000);
}

#[test]
fn a_panicking_deserialize_only_ends_the_trace() {
    #[derive(Deserialize)]
    #[serde(from = "String")]
    #[expect(dead_code, reason = "only traced")]
    struct First(char);
    #[derive(Deserialize)]
    #[serde(from = "String")]
    #[expect(dead_code, reason = "only traced")]
    struct Panics(u64);
    impl From<String> for Panics {
        fn from(text: String) -> Self {
            Self(text.parse().expect("always a number"))
        }
    }
    impl From<String> for First {
        fn from(text: String) -> Self {
            Self(text.chars().next().expect("never empty"))
        }
    }
    assert_eq!(shape_of::<(u8, First)>(), "tuple 2;u8;\ntuple 2;string;");
    assert_eq!(shape_of::<(u8, Panics)>(), "tuple 2;u8;\ntuple 2;string;");
}

#[test]
fn codec_version_template_and_generics_change_the_fingerprint() {
    let base = of::<u8>(Codec::Json, None, "k", "");
    assert_ne!(base, of::<u8>(Codec::Postcard, None, "k", ""));
    assert_ne!(base, of::<u8>(Codec::Json, Some(2), "k", ""));
    assert_ne!(base, of::<u8>(Codec::Json, None, "l", ""));
    assert_ne!(base, of::<u8>(Codec::Json, None, "k", "<u8>"));
    assert_ne!(base, of::<u16>(Codec::Json, None, "k", ""));
    assert_eq!(base, of::<u8>(Codec::Json, None, "k", ""));
    assert_eq!(base, of::<std::sync::Arc<u8>>(Codec::Json, None, "k", ""));
    assert_ne!(base, of::<Vec<u8>>(Codec::Json, None, "k", ""));
}

#[test]
fn generic_arguments_are_found_in_a_path() {
    assert_eq!(generics("a::m::Repo<u8>::a<3, &str>::{{closure}}"), "<u8><3, &str>");
    assert_eq!(generics("<a::P as a::Tr>::e"), "");
    assert_eq!(generics("<a::Repo<u8> as a::Tr>::e"), "<u8>");
    assert_eq!(generics("a::P::d"), "");
    assert_eq!(generics("<a::P as a::Tr>::e<'_, '_>::{{closure}}"), "");
    assert_eq!(generics("a::P<'_>::e<'_, u8>"), "<u8>");
    assert_eq!(generics("a::writes::<impl a::P>::d"), "");
    assert_eq!(generics("a::writes::<impl a::Repo<u8>>::d<3>"), "<u8><3>");
}

#[test]
fn a_type_with_hidden_parts_is_of_this_build_only_unless_there_is_a_version() {
    #[derive(Deserialize)]
    #[serde(tag = "kind")]
    enum Kind {
        #[serde(other)]
        Any,
    }
    let _ = Kind::Any;
    let none = of::<Kind>(Codec::Json, None, "k", "");
    let one = of::<Kind>(Codec::Json, Some(1), "k", "");
    assert!(none.is_of_build && !one.is_of_build);
    assert_ne!(none.value, one.value, "the build is in it");
    let (none, one) = (of::<u8>(Codec::Json, None, "k", ""), of::<u8>(Codec::Json, Some(1), "k", ""));
    assert_eq!((none.value, none.is_of_build), (one.value, false));
}

#[test]
fn the_number_of_a_build_does_not_change() {
    assert_eq!(super::build::id(), super::build::id());
    assert_ne!(super::build::id(), 0);
}
