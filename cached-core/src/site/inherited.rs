//! For how long the values of a function are kept, where that is not written in its own attribute.
//!
//! A value belongs to the function that reads one entry under its key, whoever stores it: a put, or a batch that has loaded
//! many. If these do not say for how long their values live and are kept past their end, they store them as that function
//! does. Otherwise it would find values that end earlier than it says, and none to fall back to when a load fails.

use super::startup::same_template;
use super::{Freshness, Role, Site, SiteSpec};
use crate::ttl::{NoneTtl, TtlSpec};

/// For how long values are kept.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Kept {
    pub(crate) ttl: TtlSpec,
    pub(crate) none_ttl: Option<NoneTtl>,
    pub(crate) jitter: Option<f64>,
    pub(crate) fresh: Freshness,
}

impl Kept {
    /// As the attribute says, and otherwise as all the reads of one entry under its key say.
    pub(crate) fn at(site: &Site, spec: &SiteSpec, all: &[&'static Site]) -> Self {
        let own = Self::own(spec);
        if spec.role == Role::Read && !spec.batch {
            return own;
        }
        let is_read = |other: &&&Site| other.spec().role == Role::Read && !other.spec().batch;
        let mut reads = all.iter().filter(is_read).filter(|read| same_template(site, read));
        let Some(first) = reads.next().map(|read| Self::own(read.spec())) else { return own };
        // Where the reads differ, none of them is taken: nothing says which one is meant.
        let agreed = reads.map(|read| Self::own(read.spec())).fold(first, Self::agreed);
        Self {
            ttl: match (own.ttl, agreed.ttl) {
                // An expression or a closure can be evaluated in its own function only.
                (TtlSpec::Default, TtlSpec::Class(_) | TtlSpec::Millis(_)) => agreed.ttl,
                (ttl, _) => ttl,
            },
            none_ttl: own.none_ttl.or(agreed.none_ttl),
            jitter: own.jitter.or(agreed.jitter),
            fresh: if own.fresh == Freshness::NONE { agreed.fresh } else { own.fresh },
        }
    }

    fn own(spec: &SiteSpec) -> Self {
        Self { ttl: spec.ttl, none_ttl: spec.none_ttl, jitter: spec.jitter, fresh: spec.fresh }
    }

    fn agreed(self, other: Self) -> Self {
        Self {
            ttl: if self.ttl == other.ttl { self.ttl } else { TtlSpec::Default },
            none_ttl: self.none_ttl.filter(|ttl| Some(*ttl) == other.none_ttl),
            jitter: self.jitter.filter(|jitter| Some(*jitter) == other.jitter),
            fresh: if self.fresh == other.fresh { self.fresh } else { Freshness::NONE },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::key::Piece;

    const USER: &[Piece] = &[Piece::Literal("user:"), Piece::Segment("id")];
    const WINDOW: Freshness = Freshness { if_error_ms: Some(60_000), ..Freshness::NONE };
    const READ: SiteSpec = SiteSpec {
        template: USER,
        ttl: TtlSpec::Millis(5_000),
        none_ttl: Some(NoneTtl::Off),
        jitter: Some(0.5),
        fresh: WINDOW,
        line: 1,
        ..SiteSpec::DEFAULT
    };
    const PUT: SiteSpec = SiteSpec { role: Role::Put, template: USER, line: 2, ..SiteSpec::DEFAULT };

    fn kept(of: &SiteSpec, others: &[SiteSpec]) -> Kept {
        let leak = |spec: SiteSpec| -> &'static Site { Box::leak(Box::new(Site::new(spec))) };
        let site = leak(*of);
        let all: Vec<_> = others.iter().copied().map(leak).chain([site]).collect();
        Kept::at(site, site.spec(), &all)
    }

    #[test]
    fn a_put_and_a_batch_keep_values_as_the_read_of_their_key_does() {
        let batch = SiteSpec { role: Role::Read, batch: true, ..PUT };
        for stores in [PUT, batch] {
            assert_eq!(kept(&stores, &[READ]), Kept::own(&READ));
        }
    }

    #[test]
    fn what_an_attribute_says_holds() {
        let put = SiteSpec { ttl: TtlSpec::Class("long"), jitter: Some(0.0), ..PUT };
        let kept = kept(&put, &[READ]);
        assert_eq!((kept.ttl, kept.jitter, kept.fresh), (put.ttl, put.jitter, WINDOW));
    }

    #[test]
    fn a_read_and_a_function_of_another_key_take_nothing_from_others() {
        let other = SiteSpec { ttl: TtlSpec::Default, line: 3, fresh: Freshness::NONE, ..READ };
        assert_eq!(kept(&other, &[READ]), Kept::own(&other));
        let elsewhere = SiteSpec { template: &[Piece::Literal("post:"), Piece::Segment("id")], ..PUT };
        assert_eq!(kept(&elsewhere, &[READ]), Kept::own(&elsewhere));
    }

    #[test]
    fn what_two_reads_do_not_say_alike_is_not_taken() {
        let other = SiteSpec { ttl: TtlSpec::Millis(9_000), line: 3, ..READ };
        let kept = kept(&PUT, &[READ, other]);
        assert_eq!((kept.ttl, kept.fresh, kept.none_ttl), (TtlSpec::Default, WINDOW, Some(NoneTtl::Off)));
    }

    #[test]
    fn an_expression_of_another_function_is_not_taken() {
        let read = SiteSpec { ttl: TtlSpec::Dynamic, ..READ };
        assert_eq!((kept(&PUT, &[read]).ttl, kept(&PUT, &[read]).fresh), (TtlSpec::Default, WINDOW));
    }
}
