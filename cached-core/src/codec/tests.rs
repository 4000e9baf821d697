//! Tests: codecs read back what they have written, and refuse the rest.

use super::guard::Cause;
use super::*;
use serde::{Deserialize, Serialize};
use std::collections::HashMap;

const CODECS: [Codec; 3] = [Codec::Json, Codec::MessagePack, Codec::Postcard];

fn refusal<T: Serialize + 'static>(codec: Codec, value: &T) -> Option<(Cause, String)> {
    codec.encode(value, &mut Vec::new()).err().map(|refusal| (refusal.why, refusal.field))
}

#[derive(Debug, Default, Serialize, Deserialize)]
struct Order {
    lines: Vec<Line>,
    by_name: HashMap<String, Option<f32>>,
    state: State,
}

#[derive(Debug, Default, Serialize, Deserialize)]
struct Line {
    price: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    note: Option<String>,
}

#[derive(Debug, Default, Serialize, Deserialize)]
enum State {
    #[default]
    Open,
    Paid {
        #[expect(clippy::option_option, reason = "what is tested")]
        way: Option<Option<u8>>,
        thanks: Option<()>,
    },
}

#[test]
fn every_codec_reads_back_what_it_wrote_and_nothing_else() {
    for codec in CODECS {
        if codec.missing_feature().is_some() {
            continue;
        }
        let value = (vec![Some(0.1f64 + 0.2), None], "text".to_owned(), u64::MAX);
        let mut bytes = Vec::new();
        codec.encode(&value, &mut bytes).unwrap();
        assert_eq!(codec.decode::<(Vec<Option<f64>>, String, u64)>(&bytes).unwrap(), value);

        bytes.push(b'1');
        assert!(codec.decode::<(Vec<Option<f64>>, String, u64)>(&bytes).is_err(), "{codec}: bytes left over");
        assert!(codec.decode::<(Vec<Option<f64>>, String, u64)>(&bytes[..bytes.len() / 2]).is_err(), "{codec}");
    }
}

#[test]
fn a_float_that_json_would_write_as_null_is_refused_and_named() {
    let line = |price| Line { price: Some(price), note: Some(String::new()) };
    for price in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        let order = Order { lines: vec![line(1.0), line(price)], ..Order::default() };
        assert_eq!(refusal(Codec::Json, &order), Some((Cause::NotFinite, "lines.price".into())));
    }
    let order = Order { by_name: HashMap::from([("a".into(), Some(f32::NAN))]), ..Order::default() };
    assert_eq!(refusal(Codec::Json, &order), Some((Cause::NotFinite, "by_name".into())));
    assert_eq!(refusal(Codec::Json, &f64::NAN), Some((Cause::NotFinite, String::new())));
}

#[test]
fn a_some_of_nothing_is_refused_where_it_is_written_like_a_none() {
    let order = |way, thanks| Order { state: State::Paid { way, thanks }, ..Order::default() };
    for codec in [Codec::Json, Codec::MessagePack] {
        for (order, field) in [(order(Some(None), None), "state.way"), (order(None, Some(())), "state.thanks")] {
            if codec.missing_feature().is_none() {
                assert_eq!(refusal(codec, &order), Some((Cause::SomeOfNothing, field.into())), "{codec}");
            }
        }
        if codec.missing_feature().is_none() {
            assert_eq!(refusal(codec, &order(Some(Some(1)), None)), None, "{codec}");
        }
    }
    assert_eq!(
        refusal(Codec::Json, &Some(serde_json::Value::Null)).map(|(why, _)| why),
        Some(Cause::SomeOfNothing),
        "it would be read back as a None"
    );
}

#[test]
fn a_map_with_keys_that_json_cannot_write_is_refused() {
    let map = HashMap::from([((1u8, 2u8), 3u8)]);
    let (why, _) = refusal(Codec::Json, &map).unwrap();
    assert!(matches!(&why, Cause::Codec(words) if words.contains("key")), "{why:?}");
}

#[cfg(all(feature = "msgpack", feature = "postcard"))]
#[test]
fn the_other_codecs_read_back_what_json_refuses() {
    fn there_and_back<T: Serialize + serde::de::DeserializeOwned + 'static>(codec: Codec, value: &T) -> T {
        let mut bytes = Vec::new();
        codec.encode(value, &mut bytes).unwrap();
        codec.decode(&bytes).unwrap()
    }
    for codec in [Codec::MessagePack, Codec::Postcard] {
        assert!(there_and_back(codec, &f64::NAN).is_nan(), "{codec}");
        assert!(there_and_back(codec, &f32::NEG_INFINITY) == f32::NEG_INFINITY, "{codec}");
        let map = HashMap::from([((1u8, 2u8), i128::MIN)]);
        assert_eq!(there_and_back(codec, &map), map, "{codec}");
    }
    assert_eq!(there_and_back(Codec::Postcard, &Some(None::<u8>)), Some(None));
    assert_eq!(there_and_back(Codec::Postcard, &Some(())), Some(()));
}

#[cfg(feature = "postcard")]
#[test]
fn postcard_refuses_a_field_that_is_left_out() {
    let order = Order { lines: vec![Line::default()], ..Order::default() };
    assert_eq!(refusal(Codec::Postcard, &order), Some((Cause::LeftOut, "lines.note".into())));
    let order = Order { lines: vec![Line { price: None, note: Some(String::new()) }], ..Order::default() };
    assert_eq!(refusal(Codec::Postcard, &order), None, "nothing is left out");
}

#[test]
fn the_guard_does_not_change_the_bytes() {
    #[derive(Serialize)]
    struct Mixed<'a> {
        any: serde_json::Value,
        text: &'a str,
        tuple: (u8, Option<i64>),
        unit: (),
        variant: Result<u8, State>,
    }
    let value = Mixed {
        any: serde_json::json!({"a": [1, null, 2.5], "b": {"c": "d"}}),
        text: "ä\"\n",
        tuple: (1, None),
        unit: (),
        variant: Err(State::Paid { way: None, thanks: None }),
    };
    let mut bytes = Vec::new();
    Codec::Json.encode(&value, &mut bytes).unwrap();
    assert_eq!(bytes, serde_json::to_vec(&value).unwrap());
}

#[test]
fn bytes_are_written_as_they_are() {
    fn check<T: Serialize + serde::de::DeserializeOwned + PartialEq + std::fmt::Debug + 'static>(value: &T) {
        let mut payload = Vec::new();
        Codec::Bytes.encode(value, &mut payload).unwrap();
        assert_eq!(payload, [0, b'"', 0xff]);
        assert_eq!(Codec::Bytes.decode::<T>(&payload).unwrap(), *value);
    }
    let bytes = || vec![0, b'"', 0xff];
    check(&bytes());
    check(&bytes::Bytes::from(bytes()));
    check(&bytes().into_boxed_slice());
    check(&std::sync::Arc::<[u8]>::from(bytes()));
    check(&std::sync::Arc::new(bytes()));
    check(&std::sync::Arc::new(bytes::Bytes::from(bytes())));
    assert!(Codec::Bytes.decode::<Vec<u8>>(&[]).unwrap().is_empty());
}

#[test]
fn what_is_not_bytes_is_refused() {
    let refusal = Codec::Bytes.encode(&vec![1_u16], &mut Vec::new()).unwrap_err();
    assert_eq!((&refusal.why, &*refusal.field), (&Cause::NotBytes, ""));
    assert!(refusal.why.advice(Codec::Bytes).0.contains("which are all that codec bytes writes"));
    assert!(Codec::Bytes.decode::<String>(b"text").is_err());
}
