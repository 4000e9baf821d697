//! Compares the annotated functions of a program with each other, before any of them runs.
//!
//! Every annotated function and every event is in a link-time registry. [`audit`] looks for probable mistakes that no
//! function shows alone. For instance, the entries that depend on an event stay old for their whole time to live if
//! nobody emits the event, and no compiler sees that.
//!
//! Code without an attribute is in no registry. What it emits and listens to is declared at the event; it is not learned
//! from what the process has done so far, because then the same audit would find other mistakes after other tests.

mod finding;
mod tags;

pub use finding::{Finding, FindingKind};

use crate::engine::handle::Cache;
use crate::error::SiteProblem;
use crate::event::{self, EventSpec, EventUse, TagUse};
use crate::key::Piece;
use crate::site::{self, Role, Site};
use crate::ttl::{Classes, DEFAULT_CLASS, TtlSpec};
use finding::{described, list};
use std::collections::BTreeSet;
use std::fmt;
use std::time::Duration;

/// The longest time to live of a value that nothing invalidates.
const TTL_LIMIT: Duration = Duration::from_secs(15 * 60);

/// Audits all annotated functions and events of the program: [`AuditOptions::audit`] with the defaults.
///
/// In a test suite, one line is enough:
///
/// ```standalone_crate
/// cached_core::audit().assert_clean();
/// ```
pub fn audit() -> Audit {
    AuditOptions::new().audit()
}

/// The options of an audit.
///
/// ```standalone_crate
/// use cached_core::AuditOptions;
/// use std::time::Duration;
///
/// AuditOptions::new()
///     .ttl_limit(Duration::from_secs(3600))
///     .allow("search_products") // old search results do no harm
///     .audit()
///     .assert_clean();
/// ```
#[derive(Debug, Clone)]
#[must_use = "nothing is audited until `audit` is called"]
pub struct AuditOptions {
    ttl_limit: Duration,
    classes: Classes,
    allowed: BTreeSet<String>,
}

impl Default for AuditOptions {
    fn default() -> Self {
        Self { ttl_limit: TTL_LIMIT, classes: Classes::default(), allowed: BTreeSet::new() }
    }
}

impl AuditOptions {
    /// The defaults: a limit of 15 minutes, the TTL classes that every cache has, nothing allowed.
    ///
    /// ```standalone_crate
    /// let options = cached_core::AuditOptions::new();
    /// ```
    pub fn new() -> Self {
        Self::default()
    }

    /// The longest time to live of a value that nothing invalidates.
    ///
    /// ```standalone_crate
    /// use std::time::Duration;
    ///
    /// let options = cached_core::AuditOptions::new().ttl_limit(Duration::from_secs(60));
    /// ```
    pub fn ttl_limit(self, limit: Duration) -> Self {
        Self { ttl_limit: limit, ..self }
    }

    /// Uses the TTL classes of this cache.
    ///
    /// ```standalone_crate
    /// let options = cached_core::AuditOptions::new().classes_of(&cached_core::Cache::memory());
    /// ```
    pub fn classes_of(self, cache: &Cache) -> Self {
        Self { classes: cache.engine().settings.classes.clone(), ..self }
    }

    /// Allows all findings about the function or the event of this name. For instance, a function may not need to be
    /// invalidated. For an event that is emitted by hand, write `#[event(emitted = "by hand")]` on it instead.
    ///
    /// ```standalone_crate
    /// let options = cached_core::AuditOptions::new().allow("search_products");
    /// ```
    pub fn allow(mut self, name: impl Into<String>) -> Self {
        self.allowed.insert(name.into());
        self
    }

    /// Audits all annotated functions and events of the program.
    ///
    /// ```standalone_crate
    /// let audit = cached_core::AuditOptions::new().audit();
    /// println!("{audit}");
    /// ```
    pub fn audit(&self) -> Audit {
        self.of(&site::all(), &event::all())
    }

    /// Audits these functions and events.
    fn of(&self, sites: &[&'static Site], events: &[&'static EventSpec]) -> Audit {
        let mut sites = sites.to_vec();
        sites.sort_by_key(|site| (site.spec().file, site.spec().line));
        let mut findings = Vec::new();
        for event in names_of(&sites, events) {
            findings.extend(one_sided(event, &sites, events));
            findings.extend(differing(event, events));
        }
        findings.extend(tags::findings(&sites));
        findings.extend(site::sharing(&sites).into_iter().map(|pair| of_pair(FindingKind::Shared, pair)));
        findings.extend(site::apart(&sites).into_iter().map(|pair| of_pair(FindingKind::Apart, pair)));
        for site in &sites {
            findings.extend(self.never_invalidated(site, &sites));
            findings.extend(undetermined(site));
            findings.extend(unread(site, &sites));
        }
        findings.retain(|finding| !finding.names.iter().any(|name| self.allowed.contains(*name)));
        Audit { findings, sites: sites.len(), events: names_of(&sites, events).len() }
    }

    fn never_invalidated(&self, site: &Site, sites: &[&'static Site]) -> Option<Finding> {
        let spec = site.spec();
        let ttl = match spec.ttl {
            TtlSpec::Default => self.classes.get(DEFAULT_CLASS)?,
            TtlSpec::Class(class) => self.classes.get(class)?,
            TtlSpec::Millis(ms) => Duration::from_millis(ms),
            // A `ttl` that the program computes is deliberate.
            TtlSpec::Dynamic => return None,
        };
        let depends = !spec.listens.is_empty() || !spec.tags.is_empty();
        let removes = |other: &Site| other.spec().removes.iter().any(|key| site::renders_like(key, spec.template));
        let is_removed = || sites.iter().any(|other| removes(other));
        if spec.role != Role::Read || depends || ttl <= self.ttl_limit || is_removed() {
            return None;
        }
        let text = format!(
            "{} lives for {ttl:?} and nothing invalidates it: add `invalidate_on = ..`, or give it a shorter `ttl`",
            described(site)
        );
        Some(Finding { kind: FindingKind::NeverInvalidated, names: vec![site.name()], text })
    }
}

fn of_pair(kind: FindingKind, (one, other, problem): (&'static Site, &'static Site, SiteProblem)) -> Finding {
    Finding { kind, names: vec![one.name(), other.name()], text: problem.to_string() }
}

/// The names of all events that are declared, listened to or emitted.
fn names_of(sites: &[&'static Site], events: &[&'static EventSpec]) -> BTreeSet<&'static str> {
    let used = sites.iter().flat_map(|site| site.spec().listens.iter().chain(site.spec().emits));
    used.map(|event| event.name).chain(events.iter().map(|event| event.name)).collect()
}

fn one_sided(name: &'static str, sites: &[&'static Site], events: &[&'static EventSpec]) -> Option<Finding> {
    let those = |uses: fn(&Site) -> &'static [EventUse]| -> Vec<&'static Site> {
        sites.iter().copied().filter(|site| uses(site).iter().any(|event| event.name == name)).collect()
    };
    let (listeners, emitters) = (those(|site| site.spec().listens), those(|site| site.spec().emits));
    let declared = || events.iter().filter(|event| event.name == name);
    let is_emitted = !emitters.is_empty() || declared().any(|event| event.emitted_by_hand);
    let is_heard = !listeners.is_empty() || declared().any(|event| event.heard_by_hand);
    let place = declared().next().map(|event| format!("{}:{} ", event.file, event.line)).unwrap_or_default();
    let (kind, who, text) = match (is_emitted, is_heard) {
        (true, true) => return None,
        (false, false) => {
            (FindingKind::Unused, vec![], format!("{place}event `{name}` is neither emitted nor listened to"))
        }
        (false, true) => {
            let who = if listeners.is_empty() { "code by hand".to_owned() } else { list(&listeners) };
            let text = format!(
                "nobody emits event `{name}`, on which {who} depends; if code without an attribute does, write \
                 `#[event(emitted = \"by hand\")]` on it"
            );
            (FindingKind::Unemitted, listeners, text)
        }
        (true, false) => {
            let who = if emitters.is_empty() { "code by hand".to_owned() } else { list(&emitters) };
            let text = format!(
                "nobody listens to event `{name}`, which {who} emits; if entries do without an attribute, write \
                 `#[event(heard = \"by hand\")]` on it"
            );
            (FindingKind::Unheard, emitters, text)
        }
    };
    let names = who.iter().map(|site| site.name()).chain([name]).collect();
    Some(Finding { kind, names, text })
}

/// A finding if several structs are one event, such as the copies of two crates, and an emitter of one does not touch all
/// that listeners of another depend on.
fn differing(name: &'static str, events: &[&'static EventSpec]) -> Option<Finding> {
    let of_name = || events.iter().filter(|event| event.name == name);
    let topics = |event: &EventSpec| {
        let mut by: Vec<BTreeSet<&str>> = event.by.iter().map(|by| by.iter().copied().collect()).collect();
        by.sort();
        (event.fields, by)
    };
    let first = of_name().next()?;
    let other = of_name().find(|event| topics(event) != topics(first))?;
    let declared = |event: &EventSpec| {
        let by = event.by.iter().map(|by| format!(", by {}", by.join(" and ")));
        format!("{}:{} (with {}{})", event.file, event.line, event.fields.join(", "), by.collect::<String>())
    };
    let text = format!(
        "event `{name}` is declared by {} and {}: what emits one of them does not reach all that listens to the other; \
         give both the same fields and the same `by`",
        declared(first),
        declared(other)
    );
    Some(Finding { kind: FindingKind::Differing, names: vec![name], text })
}

/// A finding if the key of the site's entries does not determine their events and tags.
fn undetermined(site: &Site) -> Option<Finding> {
    let spec = site.spec();
    if spec.role != Role::Read {
        return None;
    }
    let of_events = spec.listens.iter().map(|EventUse { not_in_key, .. }| *not_in_key);
    let of_tags = spec.tags.iter().map(|TagUse { not_in_key, .. }| *not_in_key);
    let missing: BTreeSet<_> = of_events.chain(of_tags).flatten().collect();
    if missing.is_empty() {
        return None;
    }
    let missing = missing.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
    let text = format!(
        "{} has events or tags that contain {missing}, which is not part of its key: two calls that share an entry \
         depend on different events",
        described(site)
    );
    Some(Finding { kind: FindingKind::Undetermined, names: vec![site.name()], text })
}

/// Findings about keys that the site writes and no function reads.
fn unread(site: &Site, sites: &[&'static Site]) -> Vec<Finding> {
    let is_read = |template: &[Piece]| {
        sites.iter().any(|other| other.spec().role == Role::Read && site::renders_like(other.spec().template, template))
    };
    let put = (site.spec().role == Role::Put).then_some(site.spec().template);
    let written = site.spec().removes.iter().copied().chain(put);
    let finding = |template| {
        let key = site::text_of(template, site.spec());
        let text = format!("{} writes \"{key}\", which no `#[redis_cached]` reads", described(site));
        Finding { kind: FindingKind::Unread, names: vec![site.name()], text }
    };
    written.filter(|template| !is_read(template)).map(finding).collect()
}

/// The result of an audit. It is displayed with one line for each finding.
///
/// ```standalone_crate
/// let audit = cached_core::audit();
/// assert!(audit.is_clean(), "{audit}");
/// ```
#[derive(Debug, Clone)]
#[must_use]
pub struct Audit {
    findings: Vec<Finding>,
    sites: usize,
    events: usize,
}

impl Audit {
    /// Whether there are no findings.
    ///
    /// ```standalone_crate
    /// assert!(cached_core::audit().is_clean());
    /// ```
    #[must_use]
    pub fn is_clean(&self) -> bool {
        self.findings.is_empty()
    }

    /// The findings, in the order of the source.
    ///
    /// ```standalone_crate
    /// for finding in cached_core::audit().findings() {
    ///     println!("{:?}: {finding}", finding.kind());
    /// }
    /// ```
    #[must_use]
    pub fn findings(&self) -> &[Finding] {
        &self.findings
    }

    /// Fails a test if there are findings.
    ///
    /// # Panics
    /// With all findings, if there are any.
    ///
    /// ```standalone_crate
    /// cached_core::audit().assert_clean();
    /// ```
    #[track_caller]
    pub fn assert_clean(&self) {
        assert!(self.is_clean(), "{self}");
    }
}

impl fmt::Display for Audit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let plural = |n: usize, of: &str| format!("{n} {of}{}", if n == 1 { "" } else { "s" });
        write!(f, "{}, {}: ", plural(self.sites, "annotated function"), plural(self.events, "event"))?;
        match self.findings.len() {
            0 => f.write_str("nothing found")?,
            n => f.write_str(&plural(n, "finding"))?,
        }
        self.findings.iter().try_for_each(|finding| write!(f, "\n  {finding}"))
    }
}

#[cfg(test)]
mod tests;
