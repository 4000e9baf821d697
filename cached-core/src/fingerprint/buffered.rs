//! Finds the shape behind a buffer.
//!
//! Serde first reads tagged and untagged enums, and flattened fields, into a tree, and asks that tree afterwards. So
//! the `Tracer` is asked for nothing, and the shape has to be found from what the type refuses: this tries one made-up
//! value after the other, and each complaint leads to the next value.
//!
//! Derived code helps: it names a missing field, all variants when one is unknown, and the type that it wanted instead.
//! It also accepts fields by their number, so optional ones are found, and names a field that comes twice.
//!
//! Flattened structs find their optional fields by name only, so these cannot be found. The size of the struct tells
//! whether there may be any.

use super::complaint::{Answer, Complaint};
use super::node::{Node, TEXTS};
use std::collections::{BTreeMap, HashMap};
use std::fmt::Write as _;

/// Bounds for very large types.
const MAX_QUESTIONS: usize = 20_000;
const MAX_FIELDS: u64 = 128;
const MAX_ITEMS: usize = 16;
const MAX_DEPTH: usize = 10;

/// A name that no variant and no field has.
const UNKNOWN_NAME: Node = Node::Text("\u{1}");

/// The place where a value is tried: makes the whole tree with this value in it.
type Place<'a> = &'a dyn Fn(Node) -> Node;

/// What was found behind a buffer.
#[derive(Debug, Default)]
pub(super) struct Finding {
    pub(super) text: String,
    /// Something may still be hidden.
    pub(super) is_partial: bool,
}

/// Finds what is behind one buffer. `ask` gives it a value; `flat` is the size of the struct, if it has flattened
/// fields.
///
/// `outer` are the fields of the structs around it: complaints of missing fields name these as well.
pub(super) fn find(ask: &mut dyn FnMut(&Node) -> Answer, flat: Option<usize>, outer: &[&'static str]) -> Finding {
    let mut search =
        Search { ask, left: MAX_QUESTIONS, outer_types: Vec::new(), finding: Finding::default(), flat, outer };
    match flat {
        Some(_) => {
            let empty = search.ask(&Node::Map(Vec::new()));
            search.note(&empty);
            search.map(&|node| node, &empty, 0);
        }
        None => {
            search.value(&|node| node, 0);
        }
    }
    search.finding
}

/// What was found out about a missing field.
enum Field {
    Value(Node),
    /// The field belongs to another struct.
    OfOther,
    /// No value was found that the field accepts.
    Hidden,
}

/// A type around the current place.
struct OuterType {
    /// Its complaints about a value of the wrong type, which identify it.
    complaints: Vec<Complaint>,
    /// Values that it accepts.
    good: Vec<Node>,
}

struct Search<'a> {
    ask: &'a mut dyn FnMut(&Node) -> Answer,
    left: usize,
    /// The types around this place, outermost first. A type that is already among them is recursive.
    outer_types: Vec<OuterType>,
    finding: Finding,
    flat: Option<usize>,
    outer: &'a [&'static str],
}

impl Search<'_> {
    fn ask(&mut self, node: &Node) -> Answer {
        if self.left == 0 {
            self.finding.is_partial = true;
            return Answer { is_ok: false, complaints: Vec::new() };
        }
        self.left -= 1;
        (self.ask)(node)
    }

    fn note(&mut self, answer: &Answer) {
        for complaint in &answer.complaints {
            let _ = write!(self.finding.text, "{complaint:?},");
        }
        self.finding.text.push_str(if answer.is_ok { "ok;" } else { ";" });
    }

    /// Values that a place accepts. `None` if the value there makes no difference.
    fn value(&mut self, place: Place<'_>, depth: usize) -> Option<Vec<Node>> {
        let wrong = self.ask(&place(Node::Bytes));
        self.note(&wrong);
        let outer = self
            .outer_types
            .iter()
            .find(|outer| outer.complaints.iter().all(|complaint| wrong.complaints.contains(complaint)));
        if let Some(good) = outer.map(|outer| outer.good.clone()) {
            let kinds = [Node::Unit, Node::U64(1), Node::Text(TEXTS[0]), Node::Map(Vec::new()), Node::Seq(Vec::new())];
            let is_any = kinds.into_iter().any(|kind| self.ask(&place(kind)) != wrong);
            self.finding.text.push_str("again;");
            return is_any.then_some(good);
        }
        if depth > MAX_DEPTH {
            self.finding.is_partial = true;
            return Some(Vec::new());
        }
        let is_named = wrong.complaints.iter().any(|complaint| !is_of_std(complaint));
        if is_named {
            self.outer_types.push(OuterType { complaints: wrong.complaints.clone(), good: Vec::new() });
        }
        let good = self.kinds(place, &wrong, depth);
        if is_named {
            self.outer_types.pop();
        }
        (!good.is_empty()).then_some(good)
    }

    fn kinds(&mut self, place: Place<'_>, wrong: &Answer, depth: usize) -> Vec<Node> {
        let mut good = Vec::new();
        let kinds = [Node::Unit, Node::Bool, Node::U64(1), Node::I64(-1), Node::F64, Node::Text(TEXTS[0])];
        for (number, kind) in kinds.into_iter().enumerate() {
            let answer = self.ask(&place(kind.clone()));
            if answer != *wrong {
                let _ = write!(self.finding.text, "{number}:");
                self.note(&answer);
                good.push(kind);
            }
        }
        let is_text = matches!(good.last(), Some(Node::Text(_)));
        let unknown = self.ask(&place(UNKNOWN_NAME));
        for variant in unknown.variants(wrong).unwrap_or_default() {
            let of_variant = self.variant(place, variant, depth);
            self.note_good(&of_variant);
            good.extend(of_variant);
        }
        let empty = self.ask(&place(Node::Map(Vec::new())));
        if empty != *wrong {
            self.note(&empty);
            good.extend(self.map(place, &empty, depth));
        }
        // A struct also accepts a sequence of its fields, which tells nothing new. If several types are possible here,
        // another one may be a sequence.
        let is_one = empty != *wrong && wrong.complaints.len() < 2;
        if !is_one && self.ask(&place(Node::Seq(Vec::new()))) != *wrong {
            good.push(self.seq(place, depth));
        }
        if is_text {
            good.extend(TEXTS[1..].iter().map(|text| Node::Text(text)));
        }
        good
    }

    /// Notes values that the innermost type accepts.
    fn note_good(&mut self, good: &[Node]) {
        if let Some(innermost) = self.outer_types.last_mut() {
            innermost.good.extend_from_slice(good);
        }
    }

    /// An externally tagged variant: its name, or a map of that one name to its content.
    fn variant(&mut self, place: Place<'_>, variant: &'static str, depth: usize) -> Vec<Node> {
        let of = |content| Node::Map(vec![(Node::Text(variant), content)]);
        self.finding.text.push_str(variant);
        let alone = self.ask(&place(Node::Text(variant)));
        self.note(&alone);
        let contents = self.value(&|content| place(of(content)), depth + 1).unwrap_or_default();
        std::iter::once(Node::Text(variant)).chain(contents.into_iter().take(2).map(of)).collect()
    }

    /// The entries of a map; `empty` is the answer to a map without any. Returns complete maps, as far as any were
    /// found.
    fn map(&mut self, place: Place<'_>, empty: &Answer, depth: usize) -> Vec<Node> {
        let (mut entries, mut names) = (Vec::new(), Vec::new());
        if let Some(map) = self.numbered(place, empty, &mut entries, &mut names, depth) {
            return vec![map];
        }
        let mut good = self.named(place, entries, &mut names, depth);
        // If several types are possible, the first one's fields can make it accept the map before the next type is
        // asked.
        if empty.missing().any(|name| !names.contains(&name)) {
            good.extend(self.named(place, Vec::new(), &mut names, depth));
        }
        good
    }

    /// Finds fields by their names, in addition to those that were found by their numbers.
    fn named(
        &mut self,
        place: Place<'_>,
        mut entries: Vec<(Node, Node)>,
        names: &mut Vec<&'static str>,
        depth: usize,
    ) -> Vec<Node> {
        let numbered = entries.len();
        let mut sizes = Some(0);
        loop {
            let with = |more: Vec<(Node, Node)>| Node::Map(entries.iter().cloned().chain(more).collect());
            let before = self.ask(&place(with(Vec::new())));
            let Some(name) = before.missing().find(|name| !names.contains(name)) else { break };
            names.push(name);
            let wrong = self.ask(&place(with(vec![(Node::Text(name), Node::Bytes)])));
            if let Some(variants) = wrong.variants(&before) {
                self.finding.is_partial |= entries.len() > numbered || (self.flat.is_some() && depth == 0);
                return self.tag(place, &entries, name, variants, depth);
            }
            match self.field(place, &with, name, &wrong, &before, depth) {
                Field::Value(value) => entries.push((Node::Text(name), value)),
                Field::OfOther => continue,
                Field::Hidden => {
                    // The type asks for no further fields until this one is there.
                    self.finding.is_partial = true;
                    return Vec::new();
                }
            }
            sizes = sizes.zip(size_of_wanted(&wrong, &before)).map(|(sum, size)| sum + size);
        }
        let is_flat = entries.len() > numbered || (self.flat.is_some() && depth == 0);
        let takes_all = self.any_key(place, &entries, depth);
        if is_flat && !self.is_full(depth, sizes, takes_all) {
            self.finding.is_partial = true;
        }
        vec![Node::Map(entries)]
    }

    /// Finds out about a missing field.
    fn field(
        &mut self,
        place: Place<'_>,
        with: &dyn Fn(Vec<(Node, Node)>) -> Node,
        name: &'static str,
        wrong: &Answer,
        before: &Answer,
        depth: usize,
    ) -> Field {
        let of = |value| with(vec![(Node::Text(name), value)]);
        // A field that was given is no longer missing, unless it belongs to another struct.
        let kinds = [Node::Bytes, Node::Unit, Node::U64(1), Node::Text(TEXTS[0]), Node::Map(Vec::new())];
        let is_of_other = kinds.into_iter().any(|kind| {
            let answer = self.ask(&place(of(kind)));
            answer.missing().any(|missing| missing == name)
                || answer.complaints.iter().any(|complaint| matches!(complaint, Complaint::Fields(_)))
        });
        if is_of_other {
            self.finding.is_partial |= depth == 0 && !self.outer.contains(&name);
            return Field::OfOther;
        }
        self.finding.text.push_str(name);
        let good = self.value(&|value| place(of(value)), depth + 1);
        // A type that accepts no map at all complains of every map in the same way.
        if good.is_none() && *wrong == self.ask(&place(Node::Bytes)) {
            return Field::OfOther;
        }
        let is_taken = |value: &Node| {
            let twice = [value, value].map(|value| (Node::Text(name), value.clone()));
            self.ask(&place(with(twice.into()))).duplicate(before).is_some()
        };
        good.unwrap_or_default().into_iter().find(is_taken).map_or(Field::Hidden, Field::Value)
    }

    /// Finds fields by their numbers. Returns an accepted map if the type is a map whose keys are numbers.
    fn numbered(
        &mut self,
        place: Place<'_>,
        empty: &Answer,
        entries: &mut Vec<(Node, Node)>,
        names: &mut Vec<&'static str>,
        depth: usize,
    ) -> Option<Node> {
        let mut variants = None;
        for number in 0..MAX_FIELDS {
            let of = |value| Node::Map(vec![(Node::U64(number), value)]);
            let twice = |value: Node| Node::Map(vec![(Node::U64(number), value.clone()), (Node::U64(number), value)]);
            if self.ask(&place(of(Node::Bytes))) == *empty && self.ask(&place(twice(Node::Bytes))) == *empty {
                return None;
            }
            let _ = write!(self.finding.text, "#{number}");
            let Some(good) = self.value(&|value| place(of(value)), depth + 1) else {
                if number == 1 {
                    self.adjacent(place, variants.unwrap_or_default(), depth);
                }
                return None;
            };
            if number == 0 {
                let unknown = self.ask(&place(of(UNKNOWN_NAME)));
                variants = unknown.variants(empty);
            }
            let mut taken = None;
            for value in good {
                let (once, again) = (self.ask(&place(of(value.clone()))), self.ask(&place(twice(value.clone()))));
                if let Some(name) = again.duplicate(empty) {
                    self.note(&again);
                    taken = Some((name, value));
                    break;
                }
                // Only a map accepts a key twice.
                if number == 0 && once == *empty && again == *empty {
                    return Some(of(value));
                }
            }
            if let Some((name, value)) = taken {
                names.push(name);
                entries.push((Node::U64(number), value));
            }
        }
        self.finding.is_partial = true;
        None
    }

    /// An adjacently tagged enum: it has a tag and a content.
    fn adjacent(&mut self, place: Place<'_>, variants: &[&'static str], depth: usize) {
        for variant in variants {
            self.finding.text.push_str(variant);
            let of = |content| Node::Map(vec![(Node::U64(0), Node::Text(variant)), (Node::U64(1), content)]);
            self.value(&|content| place(of(content)), depth + 1);
        }
    }

    /// An internally tagged enum: its tag stands among its fields.
    fn tag(
        &mut self,
        place: Place<'_>,
        entries: &[(Node, Node)],
        name: &'static str,
        variants: &[&'static str],
        depth: usize,
    ) -> Vec<Node> {
        let mut good = Vec::new();
        for variant in variants {
            let _ = write!(self.finding.text, "{name}={variant};");
            let with = |node| match node {
                Node::Map(more) => {
                    let tag = (Node::Text(name), Node::Text(variant));
                    Node::Map(entries.iter().cloned().chain([tag]).chain(more).collect())
                }
                other => other,
            };
            let empty = self.ask(&place(with(Node::Map(Vec::new()))));
            self.note(&empty);
            let of_variant = self.map(&|node| place(with(node)), &empty, depth + 1);
            // A variant without fields accepts a sequence of its tag alone. A struct with nothing but flattened fields
            // does not.
            let alone = self.ask(&place(Node::Seq(vec![Node::Text(variant)])));
            let is_struct =
                |complaint: &Complaint| matches!(complaint, Complaint::Other(text) if text.starts_with("struct"));
            let is_empty = |node: &Node| matches!(node, Node::Map(entries) if entries.is_empty());
            self.finding.is_partial |= of_variant.iter().all(is_empty) && alone.complaints.iter().any(is_struct);
            let of_variant: Vec<_> = of_variant.into_iter().map(with).collect();
            self.note_good(&of_variant);
            good.extend(of_variant);
        }
        good
    }

    /// Tries a key that no type names; whether there may be such keys.
    fn any_key(&mut self, place: Place<'_>, entries: &[(Node, Node)], depth: usize) -> bool {
        let of = |value| Node::Map(entries.iter().cloned().chain([(UNKNOWN_NAME, value)]).collect());
        let without = self.ask(&place(Node::Map(entries.to_vec())));
        let with = self.ask(&place(of(Node::Bytes)));
        if with == without || with.complaints.iter().any(|complaint| matches!(complaint, Complaint::Fields(_))) {
            self.note(&with);
            return false;
        }
        self.finding.text.push('*');
        self.value(&|value| place(of(value)), depth + 1);
        true
    }

    /// Whether the fields that were found fill a struct with flattened fields. If not, it may have optional ones, which
    /// cannot be seen.
    fn is_full(&self, depth: usize, sizes: Option<usize>, takes_all: bool) -> bool {
        let (Some(size), Some(found)) = (self.flat.filter(|_| depth == 0), sizes) else { return false };
        let maps = if takes_all { [size_of::<BTreeMap<u8, u8>>(), size_of::<HashMap<u8, u8>>()] } else { [0, 0] };
        // The rest may be padding or an optional field, the smallest of which takes a byte.
        maps.iter().any(|map| size == found + map)
    }

    fn seq(&mut self, place: Place<'_>, depth: usize) -> Node {
        let mut items: Vec<Node> = Vec::new();
        while items.len() < MAX_ITEMS {
            let with = |item| Node::Seq(items.iter().cloned().chain([item]).collect());
            let without = self.ask(&place(Node::Seq(items.clone())));
            let Some(good) = self.value(&|item| place(with(item)), depth + 1) else { break };
            let len = items.len() + 1;
            let mut next = None;
            for item in good {
                let answer = self.ask(&place(with(item.clone())));
                let one_more = items.iter().cloned().chain([item.clone(), Node::Bytes]).collect();
                let is_tuple = answer.ends_after(len);
                if is_tuple || answer == without || self.ask(&place(Node::Seq(one_more))).ends_after(len + 1) {
                    next = Some((item, is_tuple));
                    break;
                }
            }
            let Some((item, is_tuple)) = next else {
                // The type asks for no further items until this one is there. A list has no further ones.
                self.finding.is_partial |= without.ends_after(items.len());
                break;
            };
            items.push(item);
            if !is_tuple {
                break;
            }
        }
        Node::Seq(items)
    }
}

/// Whether many different types complain in these words.
fn is_of_std(complaint: &Complaint) -> bool {
    let Complaint::Other(text) = complaint else { return false };
    text == "a sequence" || text == "a map" || text.starts_with("a tuple") || text.starts_with("an array")
}

/// The size of the type that was wanted, if the complaint tells it.
fn size_of_wanted(wrong: &Answer, before: &Answer) -> Option<usize> {
    let mut wanted = wrong.complaints.iter().filter(|complaint| !before.complaints.contains(complaint));
    let Some(Complaint::Other(text)) = wanted.next() else { return None };
    Some(match text.as_str() {
        "a boolean" | "u8" | "i8" => 1,
        "u16" | "i16" => 2,
        "u32" | "i32" | "f32" | "a character" => 4,
        "u64" | "i64" | "f64" => 8,
        "usize" | "isize" => size_of::<usize>(),
        "a string" => size_of::<String>(),
        "a sequence" => size_of::<Vec<u8>>(),
        _ => return None,
    })
}
