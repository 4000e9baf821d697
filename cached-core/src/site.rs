//! A site: one annotated function, described by a `static` and found at link time.

mod spelled;

use crate::codec::Codec;
use crate::error::SiteProblem;
use crate::event::{EventUse, TagUse};
use crate::key::Piece;
use crate::ttl::{Classes, NoneTtl, TtlSpec};
use spelled::stored_type;
use std::any::Any;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::{Arc, OnceLock};

/// What the attribute knows about one function. Names no type of the user's, so that it can stand in a generic function.
#[derive(Debug, Clone, Copy)]
pub struct SiteSpec {
    /// The function's name.
    pub name: &'static str,
    /// The path of something inside of the function.
    pub inside: fn() -> &'static str,
    /// Its module's path.
    pub module: &'static str,
    /// Its source file.
    pub file: &'static str,
    /// Its line there.
    pub line: u32,
    /// The key's template.
    pub template: &'static [Piece],
    /// What the function does to the cache.
    pub role: Role,
    /// The return type as it is written.
    pub value: &'static str,
    /// Time to live of a value.
    pub ttl: TtlSpec,
    /// Spread of the time to live; the builder's if `None`.
    pub jitter: Option<f64>,
    /// Time to live of a `None`.
    pub none_ttl: Option<NoneTtl>,
    /// Part of the fingerprint; 1 if `None`.
    pub version: Option<u32>,
    /// Serializer of the payload; the builder's if `None`.
    pub codec: Option<Codec>,
    /// Near cache; the builder's if `None`.
    pub local: Option<Local>,
    /// Near hits go on while the store is out of contact.
    pub serves_in_gap: bool,
    /// What happens when a value's time is over, and before.
    pub fresh: Freshness,
    /// The function is over many ids, each of which has an entry.
    pub batch: bool,
    /// Whether the function uses the ambient cache (no `cache = ..`).
    pub ambient: bool,
    /// Events that make the entry invalid.
    pub listens: &'static [EventUse],
    /// Further tags of the entry.
    pub tags: &'static [TagUse],
    /// Events that the function causes.
    pub emits: &'static [EventUse],
    /// Tags that it invalidates.
    pub untags: &'static [TagUse],
    /// The placeholders of arguments whose type is spelled as that of a text.
    pub texts: &'static [&'static str],
    /// Keys that it invalidates.
    pub removes: &'static [&'static [Piece]],
}

/// What an attribute says about the near cache.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Local {
    /// `local = "off"`
    Off,
    /// `local = "30s"`, in milliseconds.
    Millis(u64),
}

/// What an attribute says about the time around the end of a value's time to live. Times are in milliseconds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Freshness {
    /// `stale_while_revalidate`: how long after its end a value is served while one caller loads a new one.
    pub revalidate_ms: Option<u64>,
    /// `stale_if_error`: how long after its end a value is served when the load fails.
    pub if_error_ms: Option<u64>,
    /// `refresh_ahead`: β of `XFetch`.
    pub ahead: Option<f64>,
    /// `refresh = "background"`
    pub background: bool,
    /// `spawn`
    pub spawn: bool,
    /// `load_timeout`
    pub load_timeout_ms: Option<u64>,
}

impl Freshness {
    /// Nothing of it.
    pub const NONE: Self = Self {
        revalidate_ms: None,
        if_error_ms: None,
        ahead: None,
        background: false,
        spawn: false,
        load_timeout_ms: None,
    };
}

/// What an annotated function does to the cache.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// `#[redis_cached]`.
    Read,
    /// `#[redis_invalidate]`.
    Invalidate,
    /// `#[redis_put]`.
    Put,
}

impl SiteSpec {
    /// What holds where the attribute says nothing.
    pub const DEFAULT: Self = Self {
        name: "",
        inside: || "",
        module: "",
        file: "",
        line: 0,
        template: &[],
        role: Role::Read,
        value: "",
        ttl: TtlSpec::Class(crate::ttl::DEFAULT_CLASS),
        jitter: None,
        none_ttl: None,
        version: None,
        codec: None,
        local: None,
        serves_in_gap: false,
        fresh: Freshness::NONE,
        batch: false,
        ambient: true,
        listens: &[],
        tags: &[],
        emits: &[],
        untags: &[],
        texts: &[],
        removes: &[],
    };
}

/// What a cache knows about a site; its own business.
type State = dyn Any + Send + Sync;

/// One annotated function. Its counters live in each cache, not here.
#[derive(Debug)]
pub struct Site {
    spec: SiteSpec,
    /// Its state in the cache that called it first, by that cache's number: nearly always the only one.
    first: OnceLock<(u64, Arc<State>)>,
}

impl Site {
    /// Made by the attribute.
    #[must_use]
    pub const fn new(spec: SiteSpec) -> Self {
        Self { spec, first: OnceLock::new() }
    }

    pub(crate) fn spec(&self) -> &SiteSpec {
        &self.spec
    }

    /// Its state in the cache of that number, which makes it if this is the first.
    #[inline]
    pub(crate) fn first(&self, cache: u64, make: impl FnOnce() -> Arc<State>) -> Option<&State> {
        let (first, state) = self.first.get_or_init(|| (cache, make()));
        (*first == cache).then_some(&**state)
    }

    pub(crate) fn name(&self) -> &'static str {
        self.spec.name
    }

    /// `shop::users::Repo<_>::find`, which tells it apart from other functions of its name; what is no function has only a name.
    pub(crate) fn path(&self) -> &'static str {
        let inside = (self.spec.inside)();
        // It stands in the `static` that describes the function, which an `async fn` of a trait has in a closure.
        let mut path = inside.rsplit_once("::__CACHED_SITE").map_or(inside, |(path, _)| path);
        while let Some(outer) = path.strip_suffix("::{{closure}}") {
            path = outer;
        }
        if path.is_empty() { self.spec.name } else { path }
    }

    /// `src/users.rs:12`
    pub(crate) fn place(&self) -> String {
        if self.spec.file.is_empty() { String::new() } else { format!("{}:{}", self.spec.file, self.spec.line) }
    }

    /// The template as it was written.
    pub(crate) fn template_text(&self) -> String {
        text_of(self.spec.template, &self.spec)
    }

    /// The classes it names.
    fn classes(&self) -> impl Iterator<Item = &'static str> {
        let ttl = if let TtlSpec::Class(class) = self.spec.ttl { Some(class) } else { None };
        let none = if let Some(NoneTtl::Class(class)) = self.spec.none_ttl { Some(class) } else { None };
        ttl.into_iter().chain(none)
    }
}

/// A template as it was written at a site.
pub(crate) fn text_of(template: &[Piece], at: &SiteSpec) -> String {
    let text = |piece: &Piece| match piece {
        Piece::Literal(text) => (*text).to_owned(),
        Piece::Segment(name) => format!("<{name}>"),
        Piece::Hash(name) => format!("<{name}:hash>"),
        Piece::Serde(name) => format!("<{name}:serde>"),
        Piece::All => "<*>".to_owned(),
        Piece::Path => format!("{}::{}", at.module, at.name),
    };
    template.iter().map(text).collect()
}

/// Whether two templates render alike for like arguments.
pub(crate) fn renders_like(a: &[Piece], b: &[Piece]) -> bool {
    // Two keys by path differ by module, name and impl; the impl is known only when the function runs.
    !a.contains(&Piece::Path) && a.len() == b.len() && a.iter().zip(b).all(|(a, b)| a.renders_like(*b))
}

/// Put into the link-time registry by the expansion.
#[derive(Debug)]
pub struct Registered(pub &'static Site);

inventory::collect!(Registered);

/// All annotated functions of the program.
pub(crate) fn all() -> Vec<&'static Site> {
    inventory::iter::<Registered>.into_iter().map(|registered| registered.0).collect()
}

/// What sets a function's entries apart from those of functions with other templates that render the same key.
///
/// Functions with one template share entries: the impls of a trait, say. Without a template the path tells functions
/// apart, except for those of one name inside of one function; they are numbered.
pub(crate) fn identity(site: &Site, all: &[&'static Site]) -> String {
    let mut text = String::new();
    for piece in site.spec.template {
        if *piece == Piece::Path {
            let namesakes = all.iter().map(|other| &other.spec).filter(|other| {
                other.template == site.spec.template && (other.module, other.name) == (site.spec.module, site.spec.name)
            });
            let place = (site.spec.file, site.spec.line);
            let number = namesakes.filter(|other| (other.file, other.line) < place).count();
            let _ = write!(text, "\0path{number}");
        } else {
            push_piece(&mut text, *piece);
        }
    }
    // Entries record their tags by position: with other tags they are other entries.
    for event in site.spec.listens {
        let _ = write!(text, "\0event{}{}", event.name, if event.any { "\0any" } else { "" });
    }
    for tag in site.spec.tags {
        text.push_str("\0tag");
        match tag.template {
            Some(template) => template.iter().for_each(|piece| push_piece(&mut text, *piece)),
            None => text.push_str("\0value"),
        }
    }
    text
}

fn push_piece(text: &mut String, piece: Piece) {
    match piece {
        Piece::Literal(literal) => text.push_str(literal),
        Piece::Segment(_) => text.push_str("\0segment"),
        Piece::Hash(_) => text.push_str("\0hash"),
        Piece::Serde(_) => text.push_str("\0serde"),
        Piece::All => text.push_str("\0all"),
        Piece::Path => text.push_str("\0path"),
    }
}

/// Checks every function against the cache's classes and against each other. Pure: the registry is handed in.
pub(crate) fn problems(sites: &[&'static Site], classes: &Classes) -> Vec<SiteProblem> {
    let mut sites: Vec<_> = sites.iter().copied().filter(|site| site.spec().ambient).collect();
    sites.sort_by_key(|site| (site.spec().file, site.spec().line));
    let unknown_classes = sites.iter().flat_map(|site| site.classes().map(move |class| (site, class)));
    let unknown_classes = unknown_classes.filter(|(_, class)| classes.get(class).is_none()).map(|(site, class)| {
        SiteProblem(format!(
            "{} `{}`: no TTL class \"{class}\"; there are {}; add it by `.ttl_class(\"{class}\", ..)` on the builder",
            site.place(),
            site.name(),
            classes.names()
        ))
    });
    let codecs = sites.iter().filter_map(|site| {
        let codec = site.spec().codec?;
        let feature = codec.missing_feature()?;
        Some(SiteProblem(format!(
            "{} `{}`: codec \"{codec}\" needs cached-core's feature `{feature}`",
            site.place(),
            site.name()
        )))
    });
    unknown_classes.chain(codecs).chain(shared_templates(&sites)).chain(unread_puts(&sites)).collect()
}

/// Functions of different names that share a template and, as far as the spelling tells, a type: meant or not, they
/// answer for each other.
pub(crate) fn sharing(sites: &[&'static Site]) -> Vec<SiteProblem> {
    let share = |a: &SiteSpec, b: &SiteSpec| {
        // That a batch shares with the single function is what it is for.
        a.name != b.name
            && a.batch == b.batch
            && (a.role, b.role) == (Role::Read, Role::Read)
            && same_template(a, b)
            && !clash(a, b)
    };
    pairs(sites, share, |a, b| {
        SiteProblem(format!(
            "{} `{}` and {} `{}` share their entries under \"{}\"; if that is not meant, give one of them another key",
            a.place(),
            a.name(),
            b.place(),
            b.name(),
            a.template_text()
        ))
    })
}

/// Functions that put what those who read under the same key do not take, since they depend on other events or tags, or
/// differ in `version` or `codec`.
fn unread_puts(sites: &[&'static Site]) -> Vec<SiteProblem> {
    let form = |spec: &SiteSpec| (spec.version.unwrap_or(1), spec.codec);
    let is_unread = |a: &SiteSpec, b: &SiteSpec| {
        let is_pair = [(a, b), (b, a)].iter().any(|(a, b)| a.role == Role::Put && b.role == Role::Read);
        is_pair && same_template(a, b) && !clash(a, b) && (form(a) != form(b) || !same_tags(a, b))
    };
    pairs(sites, is_unread, |a, b| {
        let (put, read) = if a.spec().role == Role::Put { (a, b) } else { (b, a) };
        SiteProblem(format!(
            "{} `{}` puts under \"{}\" what {} `{}` does not take: give both the same `invalidate_on`, `tags`, `version` \
             and `codec`",
            put.place(),
            put.name(),
            put.template_text(),
            read.place(),
            read.name()
        ))
    })
}

fn same_tags(a: &SiteSpec, b: &SiteSpec) -> bool {
    let events = |spec: &SiteSpec| spec.listens.iter().map(|event| (event.name, event.any)).collect::<Vec<_>>();
    let same = |a: &TagUse, b: &TagUse| match (a.template, b.template) {
        (Some(a), Some(b)) => renders_like(a, b),
        (None, None) => true,
        _ => false,
    };
    events(a) == events(b) && a.tags.len() == b.tags.len() && a.tags.iter().zip(b.tags).all(|(a, b)| same(a, b))
}

/// Pairs that would store values of different types under the same keys.
fn shared_templates(sites: &[&'static Site]) -> Vec<SiteProblem> {
    pairs(sites, clash, |a, b| {
        SiteProblem(format!(
            "{} `{}` and {} `{}` both store under \"{}\", one a `{}`, the other a `{}`: give one of them another key",
            a.place(),
            a.name(),
            b.place(),
            b.name(),
            a.template_text(),
            a.spec().value,
            b.spec().value
        ))
    })
}

fn pairs(
    sites: &[&'static Site],
    is_one: impl Fn(&SiteSpec, &SiteSpec) -> bool,
    say: impl Fn(&Site, &Site) -> SiteProblem,
) -> Vec<SiteProblem> {
    // Only what can render alike is compared pairwise: same number of pieces and same text at the beginning.
    let mut groups: BTreeMap<(usize, &str), Vec<&'static Site>> = BTreeMap::new();
    for site in sites {
        let template = site.spec().template;
        let start = if let Some(Piece::Literal(text)) = template.first() { *text } else { "" };
        groups.entry((template.len(), start)).or_default().push(site);
    }
    let mut problems = Vec::new();
    for group in groups.values() {
        for (i, a) in group.iter().enumerate() {
            for b in &group[i + 1..] {
                if is_one(a.spec(), b.spec()) {
                    problems.push(say(a, b));
                }
            }
        }
    }
    problems
}

/// Whether both have entries, and the same.
fn same_template(a: &SiteSpec, b: &SiteSpec) -> bool {
    a.role != Role::Invalidate && b.role != Role::Invalidate && renders_like(a.template, b.template)
}

fn clash(a: &SiteSpec, b: &SiteSpec) -> bool {
    same_template(a, b)
        && match (stored_type(a.value, a.batch), stored_type(b.value, b.batch)) {
            (Some(a), Some(b)) => a != b,
            // Not to be told from the spelling: fingerprints do when the values are read.
            _ => false,
        }
}

#[cfg(test)]
mod tests {
    use super::*;

    const USER: &[Piece] = &[Piece::Literal("user:"), Piece::Segment("id")];
    const USER_TOO: &[Piece] = &[Piece::Literal("user:"), Piece::Segment("user_id")];

    fn site(line: u32, template: &'static [Piece], value: &'static str, ttl: &'static str) -> &'static Site {
        let ttl = TtlSpec::Class(ttl);
        Box::leak(Box::new(Site::new(SiteSpec {
            name: "f",
            file: "a.rs",
            line,
            template,
            value,
            ttl,
            ..SiteSpec::DEFAULT
        })))
    }

    #[test]
    fn every_offending_site_is_listed_with_its_place() {
        let sites =
            [site(3, USER, "User", "medum"), site(1, USER_TOO, "Result<Order>", "long"), site(2, &[], "u8", "x")];
        let problems = problems(&sites, &Classes::default());
        let text: Vec<_> = problems.iter().map(ToString::to_string).collect();
        assert_eq!(text.len(), 3, "{text:#?}");
        assert!(text[0].contains("a.rs:2") && text[0].contains("no TTL class \"x\""));
        assert!(text[1].contains("a.rs:3") && text[1].contains("\"medium\""));
        assert!(text[2].contains("a.rs:1") && text[2].contains("a.rs:3") && text[2].contains("Result<Order>"));
    }

    #[test]
    fn the_same_type_may_share_a_template_however_it_is_spelled() {
        for other in [
            "Option<User>",
            "Result<Option<User>, DbError>",
            "ApiResult<models::User>",
            "crate::models::User",
            "Result<Option<std::sync::Arc<User>>, DbError>",
            "UserResult",
        ] {
            assert_eq!(
                problems(&[site(1, USER, "User", "short"), site(2, USER_TOO, other, "short")], &Classes::default()),
                []
            );
        }
        let differ = [site(1, USER, "Vec<a::User>", "short"), site(2, USER, "Result<Vec<Order>, E>", "short")];
        assert_eq!(problems(&differ, &Classes::default()).len(), 1);
    }

    #[test]
    fn a_batch_stores_what_one_id_has() {
        let batch = |line, value| {
            let spec =
                SiteSpec { name: "many", file: "a.rs", line, template: USER, batch: true, value, ..SiteSpec::DEFAULT };
            &*Box::leak(Box::new(Site::new(spec)))
        };
        let single = site(1, USER, "Result<Option<User>, E>", "short");
        for value in [
            "Result<HashMap<u64, User>, E>",
            "std::collections::BTreeMap<(u8, u8), m::User>",
            "Vec<Option<User>>",
            "Found<User>",
        ] {
            let sites = [single, batch(2, value)];
            assert_eq!((problems(&sites, &Classes::default()), sharing(&sites)), (vec![], vec![]), "{value}");
        }
        let differ = [single, batch(2, "Result<HashMap<u64, Order>, E>")];
        assert_eq!(problems(&differ, &Classes::default()).len(), 1);
    }

    #[test]
    fn functions_that_answer_for_each_other_are_mentioned() {
        let named = |name, line| {
            let spec = SiteSpec { name, file: "a.rs", line, template: USER, value: "String", ..SiteSpec::DEFAULT };
            &*Box::leak(Box::new(Site::new(spec)))
        };
        let said = sharing(&[named("name", 1), named("mail", 2)]);
        assert!(said.len() == 1 && said[0].to_string().contains("`name` and a.rs:2 `mail`"), "{said:?}");
        assert_eq!(sharing(&[named("find", 1), named("find", 2)]), [], "the impls of a trait");
    }
}
