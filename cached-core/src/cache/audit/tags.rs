//! Findings about tags, whose text no compiler compares.
//!
//! A tag may also be given or invalidated by code without an attribute, and a closure may render any tag. So what has no
//! counterpart is a mistake only if there is no such closure, or if it is nearly the same as another tag.

use super::finding::{Finding, FindingKind, described};
use crate::key::Piece;
use crate::site::{Role, Site, renders_like, text_of};

/// A tag's template, and the function that names it.
#[derive(Clone, Copy)]
struct Named {
    site: &'static Site,
    template: &'static [Piece],
}

impl Named {
    fn text(self) -> String {
        text_of(self.template, self.site.spec())
    }

    /// Whether one text can be both.
    fn meets(self, other: &Self) -> bool {
        let (one, other) = (self.template, other.template);
        // An argument that is the whole tag may be any.
        if [one, other].iter().any(|template| matches!(template, [Piece::Segment(_)])) {
            return true;
        }
        renders_like(one, other) || outline(one) != outline(other) && can_be_one(&outline(one), &outline(other))
    }

    /// The one of these that differs in the fewest letters, if that is likely to be a typing error.
    fn nearest<'a>(&self, of: impl Iterator<Item = &'a Self>) -> Option<&'a Self> {
        let outline_of = |named: &Self| outline(named.template);
        let own = outline_of(self);
        let placeholders = |outline: &[char]| outline.iter().filter(|c| **c == ANY).count();
        // One letter of six may be wrong: `tag` and `tax`, `post` and `cost` are names of their own.
        let tolerated = (own.len() - placeholders(&own)) / 6;
        of.filter(|other| placeholders(&outline_of(other)) == placeholders(&own))
            .map(|other| (distance(&own, &outline_of(other)), other))
            .filter(|(distance, _)| *distance <= tolerated)
            .min_by_key(|(distance, _)| *distance)
            .map(|(_, other)| other)
    }
}

/// Stands for a placeholder. No literal contains it.
const ANY: char = '\0';

/// The letters of a template; how its placeholders are rendered makes no difference.
fn outline(template: &[Piece]) -> Vec<char> {
    let letters = template.iter().map(|piece| match piece {
        Piece::Literal(text) => (*text).to_owned(),
        Piece::Segment(_) | Piece::Hash(_) | Piece::Serde(_) | Piece::All | Piece::Path => ANY.to_string(),
    });
    letters.collect::<String>().chars().collect()
}

/// All findings about the tags of these functions.
pub(super) fn findings(sites: &[&'static Site]) -> Vec<Finding> {
    let stores = || sites.iter().copied().filter(|site| site.spec().role != Role::Invalidate);
    let tags = |site: &'static Site| site.spec().tags.iter().filter_map(move |tag| Some((site, tag.template?)));
    let untags = |site: &'static Site| site.spec().untags.iter().filter_map(move |tag| Some((site, tag.template?)));
    let named = |(site, template)| Named { site, template };
    let had: Vec<Named> = stores().flat_map(tags).map(named).collect();
    let invalidated: Vec<Named> = sites.iter().copied().flat_map(untags).map(named).collect();
    let has_value_tags = stores().any(|site| site.spec().tags.iter().any(|tag| tag.template.is_none()));

    let is_had = |tag: &&Named| had.iter().any(|other| tag.meets(other));
    let is_invalidated = |tag: &&Named| invalidated.iter().any(|other| tag.meets(other));
    let unknown = invalidated.iter().filter(|tag| !is_had(tag)).filter_map(|tag| {
        let meant = tag.nearest(had.iter());
        (meant.is_some() || !has_value_tags).then(|| unknown(*tag, meant.copied()))
    });
    let misspelt = had.iter().filter(|tag| !is_invalidated(tag)).filter_map(|tag| {
        // One that nobody has is found already.
        Some(misspelt(*tag, *tag.nearest(invalidated.iter().filter(is_had))?))
    });
    unknown.chain(misspelt).collect()
}

fn unknown(tag: Named, meant: Option<Named>) -> Finding {
    let advice = match meant {
        Some(meant) => format!("did you mean \"{}\" of {}?", meant.text(), described(meant.site)),
        None => "give it to them by `tags = ..`".to_owned(),
    };
    let text = format!(
        "{} invalidates the tag \"{}\", which no function's entries have; {advice}",
        described(tag.site),
        tag.text()
    );
    Finding { kind: FindingKind::UnknownTag, names: names(tag, meant), text }
}

fn misspelt(tag: Named, meant: Named) -> Finding {
    let text = format!(
        "entries of {} have the tag \"{}\", which nothing invalidates; did you mean \"{}\", which {} invalidates?",
        described(tag.site),
        tag.text(),
        meant.text(),
        described(meant.site)
    );
    Finding { kind: FindingKind::MisspeltTag, names: names(tag, Some(meant)), text }
}

fn names(tag: Named, meant: Option<Named>) -> Vec<&'static str> {
    [Some(tag), meant].into_iter().flatten().map(|named| named.site.name()).collect()
}

/// Whether there is a likely text that both outlines fit. A placeholder stands for any text without `:`, since few
/// arguments have one.
fn can_be_one(one: &[char], other: &[char]) -> bool {
    // Whether the rests from here on can be one text, for all pairs of rests; filled from the ends.
    let mut can = vec![vec![false; other.len() + 1]; one.len() + 1];
    for i in (0..=one.len()).rev() {
        for j in (0..=other.len()).rev() {
            can[i][j] = match (one.get(i), other.get(j)) {
                (None, None) => true,
                (Some(&ANY), Some(&c)) if c != ANY => can[i + 1][j] || c != ':' && can[i][j + 1],
                (Some(&c), Some(&ANY)) if c != ANY => can[i][j + 1] || c != ':' && can[i + 1][j],
                (Some(&ANY), _) => can[i + 1][j] || j < other.len() && can[i][j + 1],
                (None, Some(&ANY)) => can[i][j + 1],
                (Some(a), Some(b)) => a == b && can[i + 1][j + 1],
                (None, Some(_)) | (Some(_), None) => false,
            };
        }
    }
    can[0][0]
}

/// The number of letters to insert, delete, replace or swap with their neighbour.
fn distance(one: &[char], other: &[char]) -> usize {
    // The distances between the first `i` letters of one and the first `j` of the other.
    let mut of = vec![vec![0; other.len() + 1]; one.len() + 1];
    for i in 0..=one.len() {
        for j in 0..=other.len() {
            if i == 0 || j == 0 {
                of[i][j] = i.max(j);
                continue;
            }
            let replaced = of[i - 1][j - 1] + usize::from(one[i - 1] != other[j - 1]);
            let mut least = replaced.min(of[i - 1][j] + 1).min(of[i][j - 1] + 1);
            if i > 1 && j > 1 && one[i - 1] == other[j - 2] && one[i - 2] == other[j - 1] {
                least = least.min(of[i - 2][j - 2] + 1);
            }
            of[i][j] = least;
        }
    }
    of[one.len()][other.len()]
}
