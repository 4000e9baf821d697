//! Checks whether annotated functions fit each other and a cache's settings.

use super::spelled::stored_type;
use super::{Role, Site, SiteSpec, renders_like};
use crate::error::SiteProblem;
use crate::event::TagUse;
use crate::key::Piece;
use crate::ttl::Classes;
use std::collections::BTreeMap;

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
            "{} `{}`: codec \"{codec}\" needs cached-core's feature `{feature}`: `cargo add cached-core --features {feature}`",
            site.place(),
            site.name()
        )))
    });
    unknown_classes.chain(codecs).chain(shared_templates(&sites)).chain(unread_puts(&sites)).collect()
}

/// Pairs of functions with the same template and, as far as the spelling shows, the same type, so that each serves the
/// other's entries, intended or not. A batch and the function for one id are left out, because they are meant to share.
pub(crate) fn sharing(sites: &[&'static Site]) -> Vec<(&'static Site, &'static Site, SiteProblem)> {
    let share = |a: &Site, b: &Site| {
        let is_read = |site: &Site| site.spec().role == Role::Read;
        let alike = a.spec().batch == b.spec().batch && is_read(a) && is_read(b);
        alike && are_two(a, b) && same_template(a, b) && !clash(a, b) && can_share(a, b)
    };
    let pairs = pairs(sites, share).into_iter();
    let report = |(a, b): (&'static Site, &'static Site)| {
        let problem = SiteProblem(format!(
            "{} `{}` and {} `{}` share their entries under \"{}\"; if that is not intended, give one of them \
             another key",
            a.place(),
            a.path(),
            b.place(),
            b.path(),
            a.template_text()
        ));
        (a, b, problem)
    };
    pairs.map(report).collect()
}

/// Whether these are two functions, and not one that is linked twice, for instance because two crates have its module.
fn are_two(a: &Site, b: &Site) -> bool {
    let is_one_module = a.spec().module == b.spec().module;
    a.spec().position() != b.spec().position() || is_one_module && a.path() != b.path()
}

/// Pairs of reads under the same key that cannot use each other's values. That may be meant, so it is no error; but an
/// event that one of them names says nothing to the other.
pub(crate) fn apart(sites: &[&'static Site]) -> Vec<(&'static Site, &'static Site, SiteProblem)> {
    let stand_apart = |a: &Site, b: &Site| {
        // With a cache of its own, each may be in another one.
        let are_reads = [a, b].iter().all(|site| site.spec().role == Role::Read && site.spec().ambient);
        are_reads && are_two(a, b) && same_template(a, b) && !clash(a, b) && !can_share(a, b)
    };
    let report = |(a, b): (&'static Site, &'static Site)| {
        let problem = SiteProblem(format!(
            "{} `{}` and {} `{}` have one key, \"{}\", and cannot use each other's values: an event or a tag that only one \
             of them names leaves the other's as they are. Give both the same `invalidate_on`, `tags`, `version` and \
             `codec`, or one of them another key",
            a.place(),
            a.path(),
            b.place(),
            b.path(),
            a.template_text()
        ));
        (a, b, problem)
    };
    pairs(sites, stand_apart).into_iter().map(report).collect()
}

/// Whether each can use what the other stores, if their types are the same.
fn can_share(a: &Site, b: &Site) -> bool {
    let form = |spec: &SiteSpec| (spec.version.unwrap_or(1), spec.codec);
    form(a.spec()) == form(b.spec()) && same_tags(a.spec(), b.spec())
}

/// Pairs of a put and a read under the same key where the read cannot use what the put stores, because the two differ
/// in their events, tags, `version` or `codec`.
fn unread_puts(sites: &[&'static Site]) -> Vec<SiteProblem> {
    let is_unread = |a: &Site, b: &Site| {
        let (one, other) = (a.spec(), b.spec());
        let is_pair = [(one, other), (other, one)].iter().any(|(a, b)| a.role == Role::Put && b.role == Role::Read);
        is_pair && same_template(a, b) && !clash(a, b) && !can_share(a, b)
    };
    let report = |(a, b): (&'static Site, &'static Site)| {
        let (put, read) = if a.spec().role == Role::Put { (a, b) } else { (b, a) };
        SiteProblem(format!(
            "{} `{}` puts values under \"{}\" that {} `{}` cannot use: give both the same `invalidate_on`, `tags`, \
             `version` and `codec`",
            put.place(),
            put.name(),
            put.template_text(),
            read.place(),
            read.name()
        ))
    };
    pairs(sites, is_unread).into_iter().map(report).collect()
}

fn same_tags(a: &SiteSpec, b: &SiteSpec) -> bool {
    let events = |spec: &SiteSpec| spec.listens.iter().map(|event| (event.name, event.topic)).collect::<Vec<_>>();
    let same = |a: &TagUse, b: &TagUse| match (a.template, b.template) {
        (Some(a), Some(b)) => renders_like(a, b),
        (None, None) => true,
        _ => false,
    };
    events(a) == events(b) && a.tags.len() == b.tags.len() && a.tags.iter().zip(b.tags).all(|(a, b)| same(a, b))
}

/// Pairs that would store values of different types under the same keys.
fn shared_templates(sites: &[&'static Site]) -> Vec<SiteProblem> {
    let report = |(a, b): (&'static Site, &'static Site)| {
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
    };
    pairs(sites, clash).into_iter().map(report).collect()
}

fn pairs(sites: &[&'static Site], is_one: impl Fn(&Site, &Site) -> bool) -> Vec<(&'static Site, &'static Site)> {
    // Compares only templates that can render alike: those with as many pieces and the same text at the beginning.
    let mut groups: BTreeMap<(usize, &str), Vec<&'static Site>> = BTreeMap::new();
    for site in sites {
        let template = site.spec().template;
        let start = if let Some(Piece::Literal(text)) = template.first() { *text } else { "" };
        groups.entry((template.len(), start)).or_default().push(site);
    }
    let mut found = Vec::new();
    for group in groups.values() {
        for (i, a) in group.iter().enumerate() {
            found.extend(group[i + 1..].iter().filter(|b| is_one(a, b)).map(|b| (*a, *b)));
        }
    }
    found
}

/// Whether both functions have entries, under the same template.
pub(super) fn same_template(a: &Site, b: &Site) -> bool {
    let has_entries = |site: &Site| site.spec().role != Role::Invalidate && !site.spec().template.is_empty();
    let (one, other) = (a.spec().template, b.spec().template);
    has_entries(a) && has_entries(b) && renders_like(one, other) && same_items(a, b)
}

/// Whether the constants and types in both templates are the same. `<Self::TABLE>` differs in each impl, and `<TABLE>`
/// in each module. Their values are not known here, so those of different impls or modules count as different.
fn same_items(a: &Site, b: &Site) -> bool {
    let is_item = |piece: &Piece| match piece {
        Piece::Segment(name) | Piece::Hash(name) | Piece::Serde(name) => {
            name.contains("::") || name.starts_with(char::is_uppercase)
        }
        Piece::Literal(_) | Piece::All | Piece::Path => false,
    };
    let inside = |site: &Site| site.path().rsplit_once("::").map(|(inside, _)| inside);
    let are_same = inside(a) == inside(b);
    let mut pairs = a.spec().template.iter().zip(b.spec().template);
    pairs.all(|(a, b)| !is_item(a) && !is_item(b) || are_same && a == b)
}

fn clash(a: &Site, b: &Site) -> bool {
    same_template(a, b)
        && match (stored_type(a.spec().value, a.spec().batch), stored_type(b.spec().value, b.spec().batch)) {
            (Some(a), Some(b)) => a != b,
            // The spelling does not show it: fingerprints tell the types apart when the values are read.
            _ => false,
        }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{EventUse, Topic};
    use crate::ttl::TtlSpec;

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
    fn functions_of_one_type_may_share_a_template_however_the_type_is_spelled() {
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
    fn a_batch_stores_the_type_of_one_id() {
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
            assert_eq!((problems(&sites, &Classes::default()), reported(&sites)), (vec![], vec![]), "{value}");
        }
        let differ = [single, batch(2, "Result<HashMap<u64, Order>, E>")];
        assert_eq!(problems(&differ, &Classes::default()).len(), 1);
    }

    fn reported(sites: &[&'static Site]) -> Vec<String> {
        sharing(sites).into_iter().map(|(_, _, problem)| problem.to_string()).collect()
    }

    const FIND: SiteSpec = SiteSpec {
        name: "find",
        module: "shop",
        file: "a.rs",
        line: 1,
        template: USER,
        value: "String",
        ..SiteSpec::DEFAULT
    };

    #[test]
    fn reads_of_one_key_that_differ_are_told_to_stand_apart_and_not_to_share() {
        const HEARS: &[EventUse] =
            &[EventUse { name: "UserUpdated", text: "UserUpdated { id }", topic: Topic::One, not_in_key: &[] }];
        let batch = SiteSpec { name: "many", line: 2, batch: true, value: "Vec<Option<String>>", ..FIND };
        for other in [batch, SiteSpec { batch: false, value: "String", ..batch }] {
            for differs in [
                SiteSpec { listens: HEARS, ..other },
                SiteSpec { version: Some(2), ..other },
                SiteSpec { codec: Some(crate::Codec::MessagePack), ..other },
            ] {
                let sites = [FIND, differs].map(|spec| &*Box::leak(Box::new(Site::new(spec))));
                let told: Vec<_> = apart(&sites).into_iter().map(|(.., problem)| problem.to_string()).collect();
                assert!(told.len() == 1 && told[0].contains("`many` have one key, \"user:<id>\""), "{told:?}");
                assert_eq!(reported(&sites), [""; 0]);
            }
            assert!(apart(&[FIND, other].map(|spec| &*Box::leak(Box::new(Site::new(spec))))).is_empty());
        }
    }

    fn shared(specs: &[SiteSpec; 2]) -> Vec<String> {
        reported(&specs.each_ref().map(|spec| &*Box::leak(Box::new(Site::new(*spec)))))
    }

    #[test]
    fn functions_that_share_entries_are_reported() {
        let reported = shared(&[FIND, SiteSpec { name: "mail", line: 2, ..FIND }]);
        assert!(reported.len() == 1 && reported[0].contains("`find` and a.rs:2 `mail`"), "{reported:?}");
    }

    #[test]
    fn impls_of_a_trait_that_share_entries_are_reported() {
        let one = SiteSpec { inside: || "<shop::A as shop::Repo>::find::__CACHED_SITE::{{closure}}", ..FIND };
        let other = SiteSpec { inside: || "<shop::B as shop::Repo>::find::__CACHED_SITE::{{closure}}", ..FIND };
        let reported = shared(&[one, SiteSpec { line: 2, ..other }]);
        let expected = "a.rs:1 `<shop::A as shop::Repo>::find` and a.rs:2 `<shop::B as shop::Repo>::find` share";
        assert!(reported.len() == 1 && reported[0].contains(expected), "{reported:?}");
        assert_eq!(shared(&[one, SiteSpec { column: 9, ..other }]).len(), 1, "on one line");
        assert_eq!(shared(&[one, other]).len(), 1, "both from one call of a macro");
    }

    #[test]
    fn one_function_does_not_share_with_itself() {
        assert_eq!(shared(&[FIND, FIND]), [""; 0], "linked twice");
        let in_the_binary = SiteSpec { module: "shop_server", inside: || "shop_server::find::__CACHED_SITE", ..FIND };
        assert_eq!(shared(&[FIND, in_the_binary]), [""; 0], "a module of the library and of the binary");
    }

    #[test]
    fn constants_of_different_impls_or_modules_are_different() {
        const OF_SELF: &[Piece] = &[Piece::Segment("Self::TABLE"), Piece::Literal(":"), Piece::Segment("id")];
        const OF_MODULE: &[Piece] = &[Piece::Segment("TABLE"), Piece::Literal(":"), Piece::Segment("id")];
        let a = SiteSpec { template: OF_SELF, inside: || "<shop::A as shop::Repo>::find::__CACHED_SITE", ..FIND };
        let b = SiteSpec { inside: || "<shop::B as shop::Repo>::find::__CACHED_SITE", line: 2, ..a };
        assert_eq!(shared(&[a, b]), [""; 0]);
        let mail = SiteSpec { inside: || "<shop::A as shop::Repo>::mail::__CACHED_SITE", line: 3, ..a };
        assert_eq!(shared(&[a, mail]).len(), 1, "both in one impl");

        let leak = |spec| &*Box::leak(Box::new(Site::new(spec)));
        let users = SiteSpec { template: OF_MODULE, inside: || "shop::users::find::__CACHED_SITE", ..FIND };
        let orders = SiteSpec { inside: || "shop::orders::find::__CACHED_SITE", line: 2, value: "Vec<Order>", ..users };
        assert_eq!(problems(&[leak(users), leak(orders)], &Classes::default()), [], "in two modules");
        let more = SiteSpec { inside: || "shop::users::more::__CACHED_SITE", ..orders };
        assert_eq!(problems(&[leak(users), leak(more)], &Classes::default()).len(), 1, "in one module");
    }
}
