//! What the log says about a site: when a call has no use of the cache, why, and what to do about it.

use super::SiteState;
use super::notices::{Cause, IN_A_ROW, SOME_BESIDE};
use crate::codec::Refusal;
use crate::key::Unrenderable;
use crate::reason::{MissReason, UnstoredReason};
use crate::user_code::{PanicText, UserCode};
use std::sync::atomic::Ordering;

impl SiteState {
    /// A call did not find what it miss for.
    pub(crate) fn note_miss(&self, reason: MissReason, last_error: impl FnOnce() -> Option<String>) {
        if let Some(cause) = Cause::of_miss(reason) {
            self.note(cause, last_error);
        }
    }

    /// A call's entry stands beside a value of another type. A rolling deployment does that for a while, and it costs each call
    /// a second read: no fault, but worth a line if it goes on.
    pub(crate) fn stands_beside(&self) {
        if self.notices.beside.fetch_add(1, Ordering::Relaxed) == SOME_BESIDE {
            let (site, place) = (self.site.path(), self.site.place());
            tracing::info!(
                site,
                place,
                "{SOME_BESIDE} calls have found another type's values, or another build's, under their keys: their own stand \
                 beside these, so each call reads twice, and batches keep none of them near. After a deployment that ends by \
                 itself; else give the types keys of their own (`<T>` in the key) or the services namespaces of their own"
            );
        }
    }

    /// A loaded value was not stored.
    pub(crate) fn note_unstored(&self, reason: UnstoredReason, last_error: impl FnOnce() -> Option<String>) {
        if let Some(cause) = Cause::of_unstored(reason) {
            self.note(cause, last_error);
        }
    }

    pub(crate) fn note(&self, cause: Cause, detail: impl FnOnce() -> Option<String>) {
        if let Cause::Run(run) = cause {
            let counters = &self.counters;
            let stored = if run.counts_stored() { counters.stored.get() } else { 0 };
            if !self.notices.is_enough(run, counters.hits.get() + self.near_hits() + stored) {
                return;
            }
        }
        if self.notices.is_news(cause) {
            let (wrong, cure) = cause.advice();
            let (site, place, codec) = (self.site.path(), self.site.place(), self.codec);
            let detail = detail();
            if let Cause::Run(_) = cause {
                tracing::warn!(
                    site,
                    place,
                    detail,
                    "{IN_A_ROW} calls in a row had no use of the cache: {wrong}; {cure}"
                );
            } else {
                tracing::warn!(site, place, %codec, detail, "{wrong}; {cure}");
            }
        }
    }

    /// An argument has no form.
    #[cold]
    pub(crate) fn note_unrenderable(&self, argument: Unrenderable) {
        if self.notices.is_news(Cause::Key) {
            let (site, place) = (self.site.path(), self.site.place());
            tracing::warn!(
                site,
                place,
                argument,
                "`{argument}` cannot be written into the key: such calls run uncached; its `KeyIdentity` or `Serialize` fails or \
                 panics: name another form of it in `key`, or a field beside `skip(..)`, which alone leaves it out if it is no \
                 part of the call's identity"
            );
        }
    }

    /// The codec refuses to write a value.
    #[cold]
    pub(crate) fn note_refusal(&self, of: &'static str, refusal: &Refusal) {
        if self.notices.is_news(Cause::Encode) {
            let (site, place, codec) = (self.site.path(), self.site.place(), self.codec);
            let ((wrong, cure), field) = (refusal.why.advice(codec), &*refusal.field);
            let what = if field.is_empty() { "a value" } else { "a field of a value" };
            tracing::warn!(
                site, place, %codec, value = of, field,
                "{what} {wrong}: such values are returned and not stored; {cure}"
            );
        }
    }

    /// A value comes back from the codec as another one.
    #[cold]
    pub(crate) fn note_changed(&self, of: &'static str, near: Option<&str>) {
        if self.notices.is_news(Cause::Changed) {
            let (site, place, codec, near) =
                (self.site.path(), self.site.place(), self.codec, near.unwrap_or("unknown"));
            tracing::warn!(
                site, place, %codec, value = of, near,
                "a value comes back from the codec as another one: such values are returned and not stored; `near` is the field or \
                 variant where they differ: look for `#[serde(skip)]`, `skip_serializing`, `default` and `untagged` there and \
                 take them off, or let the type's `PartialEq` leave out what may differ"
            );
        }
    }

    /// What may change of a type of this site cannot be seen.
    #[cold]
    pub(crate) fn note_build(&self, of: &'static str) {
        let (site, place) = (self.site.path(), self.site.place());
        let cure = if self.site.spec().template.is_empty() {
            "call `version(1)` on the cache's builder"
        } else {
            "write `version = 1` in the attribute"
        };
        tracing::info!(
            site,
            place,
            value = of,
            "a part of this type's shape cannot be seen, such as a variant behind `other` or an optional field behind `flatten`: its \
             values are stored for this build of the program, and another build begins with none; {cure} to share them, and raise it \
             when the type changes"
        );
    }

    /// Code of the user's has panicked that only the cache runs.
    #[cold]
    pub(crate) fn note_panic(&self, code: UserCode, of: &'static str, panic: &PanicText) {
        if self.notices.is_news(Cause::Panicked(code)) {
            let (site, place, said, consequence) = (self.site.path(), self.site.place(), &*panic.0, code.consequence());
            tracing::warn!(
                site,
                place,
                value = of,
                panic = said,
                "{code} has panicked, which only the cache runs: {consequence}; mend it, or return an error there"
            );
        }
    }
}
