//! The log lines about a site: why its calls get nothing from the cache, and what to do about it.

use super::SiteState;
use super::notices::{Cause, IN_A_ROW, SOME_BESIDE};
use crate::codec::Refusal;
use crate::key::Unrenderable;
use crate::reason::{MissReason, UnstoredReason};
use crate::user_code::{PanicText, UserCode};
use std::sync::atomic::Ordering;

impl SiteState {
    /// Notes a miss.
    pub(crate) fn note_miss(&self, reason: MissReason, last_error: impl FnOnce() -> Option<String>) {
        if let Some(cause) = Cause::of_miss(reason) {
            self.note(cause, last_error);
        }
    }

    /// Notes that a call's entry stands beside a value of another type. A rolling deployment causes that for a while,
    /// and it costs each call a second read. That is no fault, but worth a line if it goes on.
    pub(crate) fn stands_beside(&self) {
        if self.notices.beside.fetch_add(1, Ordering::Relaxed) == SOME_BESIDE {
            let (site, place) = (self.path(), self.site.place());
            tracing::info!(
                site,
                place,
                "{SOME_BESIDE} calls have found values of another type, or of another build, under their keys: their \
                 own values stand beside these, so each call reads twice, and the near cache keeps none of those of \
                 batches. After a deployment this ends by itself; otherwise give the types keys of their own (`<T>` in \
                 the key), or the services namespaces of their own"
            );
        }
    }

    /// Notes that a loaded value was not stored.
    pub(crate) fn note_unstored(&self, reason: UnstoredReason, last_error: impl FnOnce() -> Option<String>) {
        if let Some(cause) = Cause::of_unstored(reason) {
            self.note(cause, last_error);
        }
    }

    /// Logs a cause, unless that was done before or it may still pass.
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
            let (site, place, codec) = (self.path(), self.site.place(), self.codec);
            let detail = detail();
            if let Cause::Run(_) = cause {
                tracing::warn!(
                    site,
                    place,
                    detail,
                    "{IN_A_ROW} calls in a row got nothing from the cache: {wrong}; {cure}"
                );
            } else {
                tracing::warn!(site, place, %codec, detail, "{wrong}; {cure}");
            }
        }
    }

    /// Logs that an argument cannot be rendered.
    #[cold]
    pub(crate) fn note_unrenderable(&self, argument: Unrenderable) {
        if self.notices.is_news(Cause::Key) {
            let (site, place) = (self.path(), self.site.place());
            tracing::warn!(
                site,
                place,
                argument,
                "`{argument}` cannot be written into the key: such calls run uncached; its `KeyIdentity` or \
                 `Serialize` fails or panics: render it in another way in `key`, or name one of its fields there \
                 beside `skip(..)`; `skip(..)` alone leaves it out, if it is no part of the call's identity"
            );
        }
    }

    /// Logs that the codec refuses to write a value.
    #[cold]
    pub(crate) fn note_refusal(&self, of: &'static str, refusal: &Refusal) {
        if self.notices.is_news(Cause::Encode) {
            let (site, place, codec) = (self.path(), self.site.place(), self.codec);
            let ((wrong, cure), field) = (refusal.why.advice(codec), &*refusal.field);
            let what = if field.is_empty() { "a value" } else { "a field of a value" };
            tracing::warn!(
                site, place, %codec, value = of, field,
                "{what} {wrong}: such values are returned and not stored; {cure}"
            );
        }
    }

    /// Logs that a value comes back from the codec changed.
    #[cold]
    pub(crate) fn note_changed(&self, of: &'static str, near: Option<&str>) {
        if self.notices.is_news(Cause::Changed) {
            let (site, place, codec, near) = (self.path(), self.site.place(), self.codec, near.unwrap_or("unknown"));
            tracing::warn!(
                site, place, %codec, value = of, near,
                "a value comes back from the codec changed: such values are returned and not stored; `near` is the \
                 field or variant where they differ: look for `#[serde(skip)]`, `skip_serializing`, `default` and \
                 `untagged` there and take them off, or let the type's `PartialEq` leave out what may differ"
            );
        }
    }

    /// Logs that changes of a type of this site may go unseen.
    #[cold]
    pub(crate) fn note_build(&self, of: &'static str) {
        let (site, place) = (self.path(), self.site.place());
        let cure = if self.site.spec().template.is_empty() {
            "call `version(1)` on the cache's builder"
        } else {
            "write `version = 1` in the attribute"
        };
        tracing::info!(
            site,
            place,
            value = of,
            "a part of this type's shape cannot be seen, such as a variant behind `other` or an optional field behind \
             `flatten`: its values are stored for this build of the program, and another build begins with none; \
             {cure} to share them, and raise it when the type changes"
        );
    }

    /// Logs a panic of user code that only the cache calls.
    #[cold]
    pub(crate) fn note_panic(&self, code: UserCode, of: &'static str, panic: &PanicText) {
        if self.notices.is_news(Cause::Panicked(code)) {
            let (site, place, said, consequence) = (self.path(), self.site.place(), &*panic.0, code.consequence());
            tracing::warn!(
                site,
                place,
                value = of,
                panic = said,
                "{code} has panicked, which only the cache calls: {consequence}; correct it, or return an error there"
            );
        }
    }
}
