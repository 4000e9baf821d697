//! What an audit finds.

use crate::site::Site;
use std::fmt;

/// A probable mistake. Its text says what it is, where it is, and what to do.
///
/// ```standalone_crate
/// use cached_core::FindingKind;
///
/// let audit = cached_core::audit();
/// assert!(!audit.findings().iter().any(|finding| finding.kind() == FindingKind::Unemitted));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    pub(super) kind: FindingKind,
    /// The functions and events that it is about; allowing one of them allows the finding.
    pub(super) names: Vec<&'static str>,
    pub(super) text: String,
}

impl Finding {
    /// What kind of mistake it is.
    ///
    /// ```standalone_crate
    /// let kinds: Vec<_> = cached_core::audit().findings().iter().map(|finding| finding.kind()).collect();
    /// ```
    #[must_use]
    pub fn kind(&self) -> FindingKind {
        self.kind
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// Kinds of findings.
///
/// ```standalone_crate
/// assert_eq!(format!("{:?}", cached_core::FindingKind::Unemitted), "Unemitted");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum FindingKind {
    /// Functions depend on an event that nobody emits.
    Unemitted,
    /// An event is emitted that nobody listens to.
    Unheard,
    /// An event is neither emitted nor listened to.
    Unused,
    /// Structs that are one event have different fields, or different `by`.
    Differing,
    /// A value lives long, and nothing invalidates it.
    NeverInvalidated,
    /// Events or tags of an entry are made of arguments that are not part of its key.
    Undetermined,
    /// A key is written or removed that no cached function reads.
    Unread,
    /// A tag is invalidated that no function's entries have.
    UnknownTag,
    /// Entries have a tag that nothing invalidates, and that is nearly one that is invalidated.
    MisspeltTag,
    /// Two functions have the same key, for example the impls of a trait, and return each other's values.
    Shared,
    /// Two functions have the same key and cannot use each other's values, because their events, tags, `version` or
    /// `codec` differ.
    Apart,
}

/// A function in the text of a finding.
pub(super) fn described(site: &Site) -> String {
    format!("{} `{}`", site.place(), site.name())
}

/// Several functions in the text of a finding.
pub(super) fn list(sites: &[&'static Site]) -> String {
    sites.iter().map(|site| described(site)).collect::<Vec<_>>().join(", ")
}
