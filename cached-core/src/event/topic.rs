//! Topics: which events of a type an entry listens to, and the registers that they have.

use super::CacheEvent;
use crate::key::template::{push_fields, rendered};
use crate::key::{
    Hashed, Key, KeyIdentity, KeySegment, Prefix, SegmentWriter, Serialized, SerializedIdentity, Unrenderable,
};
use crate::user_code::caught;
use std::marker::PhantomData;

/// Which events of a type an entry listens to. Every event belongs to several topics: that of all events, one for each
/// `by` of its type, and its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Topic {
    /// `UserUpdated { .. }`
    All,
    /// `UserUpdated { tenant, .. }`: those that agree in these fields, which are sorted.
    By(&'static [&'static str]),
    /// `UserUpdated { tenant, id }`
    One,
}

/// What generated code knows about an event's type without a value of it.
#[derive(Debug, Clone, Copy)]
pub struct Declared {
    /// The event's name.
    pub name: &'static str,
    fields: &'static [&'static str],
    by: &'static [&'static [&'static str]],
    forms: &'static [u8],
}

impl Declared {
    /// The event that the function takes.
    #[must_use]
    pub const fn of<E: CacheEvent>(_: fn(E)) -> Self {
        Self { name: E::NAME, fields: E::FIELDS, by: E::BY, forms: E::__FORMS }
    }

    /// The topic of all events that agree in these fields, which are sorted and distinct, and which the function takes
    /// out of an event.
    ///
    /// # Panics
    /// With these messages, while the program is compiled: if the type does not declare these fields, or if they are all
    /// that it has.
    #[must_use]
    #[track_caller]
    pub const fn topic<E>(self, _: fn(E), fields: &'static [&'static str], undeclared: &str, complete: &str) -> Topic {
        if fields.len() == self.fields.len() {
            panic!("{}", complete);
        }
        let mut at = 0;
        while at < self.by.len() {
            if are_same_fields(self.by[at], fields) {
                return Topic::By(fields);
            }
            at += 1;
        }
        panic!("{}", undeclared)
    }

    /// How this field is written.
    #[must_use]
    pub const fn form(self, field: &str) -> u8 {
        let mut at = 0;
        while at < self.fields.len() && at < self.forms.len() {
            if is_same_text(self.fields[at], field) {
                return self.forms[at];
            }
            at += 1;
        }
        PLAIN
    }
}

/// Whether these are the same names in any order. The names of each are distinct.
const fn are_same_fields(a: &[&str], b: &[&str]) -> bool {
    let mut at = 0;
    while at < a.len() {
        let mut other = 0;
        while other < b.len() && !is_same_text(a[at], b[other]) {
            other += 1;
        }
        if other == b.len() {
            return false;
        }
        at += 1;
    }
    a.len() == b.len()
}

const fn is_same_text(a: &str, b: &str) -> bool {
    let (a, b) = (a.as_bytes(), b.as_bytes());
    let mut at = 0;
    while at < a.len() && at < b.len() && a[at] == b[at] {
        at += 1;
    }
    at == a.len() && at == b.len()
}

/// A field that is written as it is.
const PLAIN: u8 = 0;
/// A field with `#[cache_key(hash)]`.
const HASH: u8 = 1;
/// A field with `#[cache_key(serde)]`.
const SERDE: u8 = 2;

/// The type of an event's field, and how it is written.
#[derive(Debug)]
pub struct EventField<F, const FORM: u8>(PhantomData<fn(F)>);

impl<F, const FORM: u8> EventField<F, FORM> {
    /// The field that the function takes out of the event.
    #[must_use]
    pub const fn of<E>(_: for<'e> fn(&'e E) -> &'e F) -> Self {
        Self(PhantomData)
    }

    /// The segment of a value of the field.
    #[must_use]
    pub fn segment(self, value: F) -> EventSegment<F, FORM> {
        EventSegment(value)
    }
}

/// The value of an event's field.
#[derive(Debug)]
pub struct EventSegment<F, const FORM: u8>(F);

#[diagnostic::do_not_recommend]
impl<F: KeySegment> KeyIdentity for EventSegment<F, PLAIN> {
    fn write(&self, out: &mut SegmentWriter<'_>) {
        self.0.write(out);
    }
}

#[diagnostic::do_not_recommend]
impl<F: KeyIdentity> KeyIdentity for EventSegment<F, HASH> {
    fn write(&self, out: &mut SegmentWriter<'_>) {
        Hashed(&self.0).write(out);
    }
}

#[diagnostic::do_not_recommend]
impl<F: SerializedIdentity> KeyIdentity for EventSegment<F, SERDE> {
    fn write(&self, out: &mut SegmentWriter<'_>) {
        Serialized(&self.0).write(out);
    }
}

#[diagnostic::do_not_recommend]
impl<F, const FORM: u8> KeySegment for EventSegment<F, FORM> where Self: KeyIdentity {}

/// The topics of one event, as they follow `<namespace>:e:`.
///
/// | topic | text |
/// |---|---|
/// | all events of the type | `UserUpdated` |
/// | by some fields | `UserUpdated;tenant:7`, `UserUpdated;country;tenant:DE:7`: their names, sorted, then their values |
/// | one event | `UserUpdated:7:42`: the values of all fields, in their order |
///
/// No two of them are alike, because neither an event's name nor a field's contains `;` or `:`, and values escape `:`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Topics {
    pub(crate) name: &'static str,
    /// What follows the name in the topics by some fields, without those that cannot be rendered.
    by: Vec<String>,
    /// What follows the name in the event's own topic; `None` if it cannot be rendered.
    one: Option<String>,
    /// Whether all of them could be rendered.
    pub(crate) are_whole: bool,
}

impl Topics {
    pub(crate) fn of<E: CacheEvent>(event: &E) -> Self {
        let one = |out: &mut String| event.with_segments(|segments| push_fields(out, segments));
        let by =
            |fields: &&[&str]| tail(|out| event.with_segments(|segments| push_by(out, E::FIELDS, fields, segments)));
        let (by, one): (Vec<_>, _) = (E::BY.iter().filter_map(by).collect(), tail(one));
        let are_whole = one.is_some() && by.len() == E::BY.len();
        Self { name: E::NAME, by, one, are_whole }
    }

    /// The register of the event itself; `None` if it cannot be rendered.
    pub(crate) fn register(&self, prefix: &Prefix) -> Option<Key> {
        self.one.as_deref().map(|one| prefix.event(self.name, one))
    }

    /// The registers of all topics, that of all events first.
    pub(crate) fn registers(&self, prefix: &Prefix) -> impl Iterator<Item = Key> {
        let tails = std::iter::once("").chain(self.by.iter().map(String::as_str)).chain(self.one.as_deref());
        tails.map(|tail| prefix.event(self.name, tail))
    }
}

/// What follows an event's name; `None` if a field cannot be rendered.
fn tail(push: impl FnOnce(&mut String) -> Option<()>) -> Option<String> {
    let mut out = String::new();
    caught(|| push(&mut out)).ok().flatten().map(|()| out)
}

/// `;country;tenant:DE:7`, of an event with all fields.
fn push_by(out: &mut String, all: &[&str], by: &[&str], segments: &[&dyn KeySegment]) -> Option<()> {
    let at = |field: &str| all.iter().position(|other| *other == field);
    let values = by.iter().map(|field| Some((*field, *segments.get(at(field)?)?)));
    let mut fields = values.collect::<Option<Vec<_>>>()?;
    fields.sort_unstable_by_key(|(field, _)| *field);
    let (names, values): (Vec<_>, Vec<_>) = fields.into_iter().unzip();
    push_topic(out, &names, &values)
}

/// `;country;tenant:DE:7`
fn push_topic(out: &mut String, fields: &[&str], values: &[&dyn KeySegment]) -> Option<()> {
    for field in fields {
        out.push(';');
        out.push_str(field);
    }
    push_fields(out, values)
}

impl Prefix {
    /// The register of one event.
    pub(crate) fn render_event<E: CacheEvent>(&self, event: &E) -> Result<Key, Unrenderable> {
        rendered(&self.events, |out, at| {
            at.set(E::NAME);
            out.push_str(E::NAME);
            event.with_segments(|segments| push_fields(out, segments))
        })
    }

    /// The register of all events of the name that agree in these fields, which are sorted.
    pub(crate) fn render_topic(
        &self,
        name: &'static str,
        fields: &[&str],
        values: &[&dyn KeySegment],
    ) -> Result<Key, Unrenderable> {
        rendered(&self.events, |out, at| {
            at.set(name);
            out.push_str(name);
            push_topic(out, fields, values)
        })
    }
}

#[cfg(test)]
mod tests;
