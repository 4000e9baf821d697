//! The options of an entry by hand that make a site's state, and what becomes of those that contradict each other.
//!
//! An attribute with such a contradiction does not compile. By hand it is known only when the program runs, so the log
//! says it once, and the options are read in the way that keeps nothing longer and serves nothing older than they say.

use super::{Freshness, Local, Role, Site, SiteSpec};
use crate::codec::Codec;
use crate::event::TagUse;
use crate::ttl::{NoneTtl, TtlSpec};
use std::time::Duration;

/// The site of entries by hand without a name and options of their own.
pub(crate) static ENTRY: Site = Site::new(SiteSpec { name: "Cache::entry", role: Role::Read, ..SiteSpec::DEFAULT });

/// Says that the values name tags.
const VALUE_TAGS: &[TagUse] = &[TagUse { template: None, not_in_key: &[] }];

/// The options of an entry by hand, except for those that may differ from call to call: its time to live, tags, events
/// and closures.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[expect(clippy::struct_excessive_bools, reason = "one for each option that is on or off")]
pub(crate) struct HandOptions {
    /// The name in the statistics.
    pub(crate) name: Option<&'static str>,
    /// The class of the time to live.
    pub(crate) class: Option<&'static str>,
    /// The bits of an `f64`, because a number that is hashed must be an integer. So are those of `ahead`.
    pub(crate) jitter: Option<u64>,
    /// Zero: a `None` is not stored.
    pub(crate) none_ttl: Option<Duration>,
    pub(crate) version: Option<u32>,
    pub(crate) codec: Option<Codec>,
    pub(crate) near: Option<Duration>,
    pub(crate) serves_in_gap: bool,
    pub(crate) revalidate: Option<Duration>,
    pub(crate) if_error: Option<Duration>,
    pub(crate) ahead: Option<u64>,
    pub(crate) background: bool,
    pub(crate) spawn: bool,
    pub(crate) load_timeout: Option<Duration>,
    /// Values name tags.
    pub(crate) names_tags: bool,
}

/// What the options mean, and what is wrong with them.
#[derive(Debug)]
pub(crate) struct Resolved {
    pub(crate) spec: SiteSpec,
    pub(crate) problems: Vec<String>,
}

impl HandOptions {
    /// The site that an attribute with these options would describe.
    pub(crate) fn resolve(&self) -> Resolved {
        let mut problems = Vec::new();
        let jitter = self.jitter(&mut problems);
        let local = self.near(&mut problems);
        let fresh = self.freshness(&mut problems);
        if let Some((codec, feature)) = self.codec.and_then(|codec| Some((codec, codec.missing_feature()?))) {
            problems.push(format!(
                "`codec({codec})` needs the feature `{feature}` of cached-core, so nothing is stored; add the feature"
            ));
        }
        let millis = |time: Duration| u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
        let spec = SiteSpec {
            ttl: self.class.map_or(ENTRY.spec().ttl, TtlSpec::Class),
            jitter,
            none_ttl: self.none_ttl.map(|time| match millis(time) {
                0 => NoneTtl::Off,
                ms => NoneTtl::Millis(ms),
            }),
            version: self.version,
            codec: self.codec,
            local,
            serves_in_gap: self.serves_in_gap,
            fresh,
            tags: if self.names_tags { VALUE_TAGS } else { &[] },
            ..*ENTRY.spec()
        };
        Resolved { spec, problems }
    }

    fn jitter(&self, problems: &mut Vec<String>) -> Option<f64> {
        let jitter = f64::from_bits(self.jitter?);
        if (0.0..1.0).contains(&jitter) {
            return Some(jitter);
        }
        problems.push(format!(
            "`jitter({jitter})` is not from 0.0 to below 1.0, so the builder's is used; write `.jitter(0.1)` for ±10 %"
        ));
        None
    }

    fn near(&self, problems: &mut Vec<String>) -> Option<Local> {
        let near = time("near", self.near, problems);
        if near.is_none() && self.serves_in_gap {
            problems.push(
                "`near_through_gaps` has no effect without `near`, so no value is kept near; add `.near(..)`, or remove \
                 it"
                .to_owned(),
            );
        }
        near.map(Local::Millis)
    }

    fn freshness(&self, problems: &mut Vec<String>) -> Freshness {
        let revalidate_ms = time("stale_while_revalidate", self.revalidate, problems);
        let if_error_ms = time("stale_if_error", self.if_error, problems);
        let ahead = self.ahead(problems);
        let mut load_timeout_ms = time("load_timeout", self.load_timeout, problems);
        if let (Some(window), Some(longer)) = (revalidate_ms, if_error_ms)
            && longer <= window
        {
            problems.push(
                "`stale_if_error` has no effect: `stale_while_revalidate` serves old values at least as long, even if \
                 loads succeed; make `stale_if_error` longer, or remove it"
                    .to_owned(),
            );
        }
        if self.background && revalidate_ms.is_none() && ahead.is_none() {
            problems.push(
                "`refresh_in_background` has no effect, because no option says when a value is refreshed; add \
                 `.stale_while_revalidate(..)` or `.refresh_ahead(1.0)`"
                    .to_owned(),
            );
        }
        if load_timeout_ms.is_some() && !self.spawn {
            problems.push(
                "`load_timeout` is ignored: after it the load would go on without its caller, so it must be a task; \
                 add `.spawn()`"
                    .to_owned(),
            );
            load_timeout_ms = None;
        }
        if load_timeout_ms.is_some() && revalidate_ms.is_none() && if_error_ms.is_none() {
            problems.push(
                "`load_timeout` is ignored: it returns an old value if the load takes longer, and none is kept; add \
                 `.stale_if_error(..)`"
                    .to_owned(),
            );
            load_timeout_ms = None;
        }
        let (background, spawn) = (self.background, self.spawn);
        Freshness { revalidate_ms, if_error_ms, ahead, background, spawn, load_timeout_ms }
    }

    /// β of `refresh_ahead`.
    fn ahead(&self, problems: &mut Vec<String>) -> Option<f64> {
        let beta = f64::from_bits(self.ahead?);
        if beta > 0.0 && beta.is_finite() {
            return Some(beta);
        }
        problems.push(format!(
            "`refresh_ahead({beta})` is ignored, because it is not above zero; write `.refresh_ahead(1.0)`, or more to \
             refresh earlier"
        ));
        None
    }
}

/// The option's time in milliseconds, unless it is zero.
fn time(option: &str, time: Option<Duration>, problems: &mut Vec<String>) -> Option<u64> {
    let ms = u64::try_from(time?.as_millis()).unwrap_or(u64::MAX);
    if ms == 0 {
        problems.push(format!("`{option}` of less than a millisecond has no effect; remove it"));
        return None;
    }
    Some(ms)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: fn(u64) -> Duration = Duration::from_millis;

    #[test]
    fn the_options_of_an_entry_are_those_of_an_attribute() {
        let options = HandOptions {
            jitter: Some(0.3_f64.to_bits()),
            class: Some("long"),
            none_ttl: Some(Duration::ZERO),
            version: Some(2),
            near: Some(MS(50)),
            serves_in_gap: true,
            revalidate: Some(MS(100)),
            if_error: Some(MS(250)),
            ahead: Some(1.5_f64.to_bits()),
            background: true,
            spawn: true,
            load_timeout: Some(MS(30)),
            names_tags: true,
            ..HandOptions::default()
        };
        let Resolved { spec, problems } = options.resolve();
        assert_eq!(problems, [""; 0]);
        let fresh = Freshness {
            revalidate_ms: Some(100),
            if_error_ms: Some(250),
            ahead: Some(1.5),
            background: true,
            spawn: true,
            load_timeout_ms: Some(30),
        };
        assert_eq!((spec.fresh, spec.jitter, spec.version), (fresh, Some(0.3), Some(2)));
        assert!(matches!(spec.ttl, TtlSpec::Class("long")));
        assert_eq!(
            (spec.local, spec.serves_in_gap, spec.none_ttl),
            (Some(Local::Millis(50)), true, Some(NoneTtl::Off))
        );
        assert!(spec.tags.len() == 1 && spec.tags[0].template.is_none());
    }

    #[test]
    fn each_contradiction_is_said_and_read_in_the_safe_way() {
        let none = HandOptions::default();
        let cases = [
            ("stale_if_error", HandOptions { revalidate: Some(MS(9)), if_error: Some(MS(9)), ..none }),
            ("refresh_in_background", HandOptions { background: true, ..none }),
            ("add `.spawn()`", HandOptions { load_timeout: Some(MS(9)), if_error: Some(MS(9)), ..none }),
            ("none is kept", HandOptions { load_timeout: Some(MS(9)), spawn: true, ..none }),
            ("near_through_gaps", HandOptions { serves_in_gap: true, ..none }),
            ("`near` of less", HandOptions { near: Some(Duration::ZERO), ..none }),
            ("jitter(1)", HandOptions { jitter: Some(1.0_f64.to_bits()), ..none }),
            ("jitter(NaN)", HandOptions { jitter: Some(f64::NAN.to_bits()), ..none }),
            ("refresh_ahead(0)", HandOptions { ahead: Some(0.0_f64.to_bits()), ..none }),
            ("refresh_ahead(inf)", HandOptions { ahead: Some(f64::INFINITY.to_bits()), ..none }),
        ];
        for (part, options) in cases {
            let Resolved { spec, problems } = options.resolve();
            assert!(problems.len() == 1 && problems[0].contains(part), "{part}: {problems:?}");
            assert_eq!((spec.jitter, spec.local, spec.fresh.ahead), (None, None, None), "{part}");
            assert_eq!(spec.fresh.load_timeout_ms, None, "{part}");
        }
    }
}
