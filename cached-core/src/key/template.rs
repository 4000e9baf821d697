//! Renders a template with its segments into one key.

use super::{Key, KeyIdentity, KeySegment, MAX_KEY, MAX_SEGMENT, Piece, SegmentWriter, push_sha256};
use crate::user_code::caught;
use std::cell::Cell;
use std::fmt::Debug;
use std::marker::PhantomData;
use std::sync::Arc;

/// What stands in front of every key of one cache: `<namespace>:k:` for entries, `<namespace>:t:<tag>`,
/// `<namespace>:e:<event>:<fields>`, and `<namespace>:t` for all tags.
///
/// No version stands there: all versions of a rolling deployment share their registers, so each hears of the others' writes.
#[derive(Debug, Clone)]
pub(crate) struct Prefix {
    entries: Arc<str>,
    tags: Arc<str>,
    pub(crate) events: Arc<str>,
    all_tags: Key,
    tickets: Arc<str>,
}

impl Prefix {
    pub(crate) fn new(namespace: &str) -> Self {
        Self {
            entries: format!("{namespace}:k:").into(),
            tags: format!("{namespace}:t:").into(),
            events: format!("{namespace}:e:").into(),
            all_tags: format!("{namespace}:t").into(),
            tickets: format!("{namespace}:r:").into(),
        }
    }

    /// Renders one call's key, unless an argument has no form (its `write` or `Serialize` failed or panicked).
    pub(crate) fn render(
        &self,
        template: &[Piece],
        path: &str,
        segments: &[&dyn KeySegment],
    ) -> Result<Key, Unrenderable> {
        rendered(&self.entries, |out, at| render(out, at, template, path, segments))
    }

    /// As [`render`](Self::render), without a copy: gives the key to `read`.
    pub(crate) fn with_rendered<R>(
        &self,
        template: &[Piece],
        path: &str,
        segments: &[&dyn KeySegment],
        read: impl FnOnce(&str) -> R,
    ) -> Result<R, Unrenderable> {
        with_rendered(&self.entries, |out, at| render(out, at, template, path, segments), read)
    }

    /// Renders one tag's register.
    pub(crate) fn render_tag(&self, template: &[Piece], segments: &[&dyn KeySegment]) -> Result<Key, Unrenderable> {
        rendered(&self.tags, |out, at| render(out, at, template, "", segments))
    }

    /// The register of an event whose fields are rendered.
    pub(crate) fn event(&self, name: &str, fields: &str) -> Key {
        bounded(&self.events, &mut [&self.events, name, fields].concat())
    }

    /// The register of a tag whose text is rendered by hand. Taken as it is.
    pub(crate) fn tag(&self, text: &str) -> Key {
        bounded(&self.tags, &mut [&self.tags, text].concat())
    }

    /// What all registers of the namespace begin with.
    pub(crate) fn namespace(&self) -> &str {
        self.tags.trim_end_matches("t:")
    }

    /// The name of a tag's or event's register: its key without the namespace.
    pub(crate) fn name_of<'a>(&self, register: &'a str) -> &'a str {
        register.strip_prefix(self.namespace()).unwrap_or(register)
    }

    /// The register of that name.
    pub(crate) fn register(&self, name: &str) -> Key {
        [self.namespace(), name].concat().into()
    }

    /// What all entries begin with.
    pub(crate) fn entries(&self) -> &str {
        &self.entries
    }

    /// The register in which those who renew the entry under `key` agree on one of them. No part of the entries,
    /// so that a sweep of these does not remove it; to remove it does no harm.
    pub(crate) fn ticket(&self, key: &Key) -> Key {
        bounded(&self.tickets, &mut [&self.tickets, self.name_of(key)].concat())
    }

    /// The register that every write of a tag touches.
    pub(crate) fn all_tags(&self) -> Key {
        self.all_tags.clone()
    }

    /// The text of a key, without what stands in front of each: what [`literal`](Self::literal) takes for it.
    pub(crate) fn text_of<'a>(&self, key: &'a str) -> &'a str {
        key.strip_prefix(&*self.entries).unwrap_or(key)
    }

    /// The key of this text. Taken as it is.
    pub(crate) fn literal(&self, text: &str) -> Key {
        bounded(&self.entries, &mut [&self.entries, text].concat())
    }
}

/// What has no form, by the name that the attribute has for it: a placeholder, `<*>` or an event.
pub(crate) type Unrenderable = &'static str;

/// What is being rendered.
type At = Cell<Unrenderable>;

pub(crate) fn rendered(prefix: &str, render: impl FnOnce(&mut String, &At) -> Option<()>) -> Result<Key, Unrenderable> {
    with_rendered(prefix, render, |key| Key::from(key))
}

fn with_rendered<R>(
    prefix: &str,
    render: impl FnOnce(&mut String, &At) -> Option<()>,
    read: impl FnOnce(&str) -> R,
) -> Result<R, Unrenderable> {
    // Taken out, since what a segment is made of may render a key as well.
    let mut out = SCRATCH.take();
    out.clear();
    out.push_str(prefix);
    let at = Cell::new("");
    // What a segment's `write` or `Serialize` panics at has no form either.
    let read = caught(|| render(&mut out, &at)).ok().flatten().map(|()| {
        bound(prefix, &mut out);
        read(&out)
    });
    SCRATCH.set(out);
    read.ok_or(at.get())
}

fn bounded(prefix: &str, key: &mut String) -> Key {
    bound(prefix, key);
    key.as_str().into()
}

fn bound(prefix: &str, key: &mut String) {
    if key.len() > MAX_KEY {
        let rendered = key.split_off(prefix.len());
        if let Some(tag) = hash_tag(&rendered) {
            key.push_str(tag);
        }
        key.push('#');
        push_sha256(key, "key", rendered.as_bytes());
    }
}

/// `:42:en`
pub(crate) fn push_fields(out: &mut String, segments: &[&dyn KeySegment]) -> Option<()> {
    for segment in segments {
        out.push(':');
        push_segment(out, *segment)?;
    }
    Some(())
}

thread_local! {
    /// What keys are rendered in; a finished key is copied out of it, to size.
    static SCRATCH: Cell<String> = const { Cell::new(String::new()) };
}

fn render(out: &mut String, at: &At, template: &[Piece], path: &str, segments: &[&dyn KeySegment]) -> Option<()> {
    let mut segments = segments.iter();
    for piece in template {
        match piece {
            Piece::Literal(text) => out.push_str(text),
            Piece::Path => push_path(out, path),
            Piece::Segment(name) | Piece::Hash(name) | Piece::Serde(name) => {
                at.set(name);
                push_segment(out, *segments.next()?)?;
            }
            Piece::All => {
                at.set("<*>");
                push_segment(out, *segments.next()?)?;
            }
        }
    }
    Some(())
}

fn push_segment(out: &mut String, segment: &dyn KeySegment) -> Option<()> {
    let start = out.len();
    let mut failed = false;
    segment.write(&mut SegmentWriter::new(out, &mut failed));
    // A hash stands for itself: text that begins with one of these is marked.
    if out.len() - start > MAX_SEGMENT && !out[start..].starts_with(['@', '#']) {
        let long = out.split_off(start);
        out.push('#');
        push_sha256(out, "segment", long.as_bytes());
    }
    (!failed).then_some(())
}

/// `shop::repo::UserRepo<Pg>::find::{{closure}}` → `shop.repo.UserRepo<Pg>.find`, hashed if it is long.
fn push_path(out: &mut String, path: &str) {
    let mut path = path;
    while let Some(outer) = path.strip_suffix("::{{closure}}") {
        path = outer;
    }
    let start = out.len();
    SegmentWriter::new(out, &mut false).text(&path.replace("::", "."));
    if out.len() - start > 2 * MAX_SEGMENT {
        let long = out.split_off(start);
        out.push('#');
        push_sha256(out, "path", long.as_bytes());
    }
}

/// The `{tag}` by which Redis Cluster places the key, if the template carries one of moderate length.
fn hash_tag(rendered: &str) -> Option<&str> {
    let open = rendered.find('{')?;
    let close = open + rendered[open..].find('}')?;
    (close > open + 1 && close - open <= 2 * MAX_SEGMENT).then(|| &rendered[open..=close])
}

/// A segment that has been rendered already.
#[derive(Debug)]
pub struct Rendered(Option<String>);

impl Rendered {
    pub(crate) fn of(segment: &dyn KeySegment) -> Self {
        let mut out = String::new();
        Self(caught(|| push_segment(&mut out, segment)).ok().flatten().map(|()| out))
    }
}

impl KeySegment for Rendered {}

impl KeyIdentity for Rendered {
    fn write(&self, out: &mut SegmentWriter<'_>) {
        match &self.0 {
            Some(text) => out.part().push_str(text),
            None => out.fail(),
        }
    }
}

/// A segment made of the name of a type: `<T>`.
#[derive(Debug)]
pub struct TypeName<T: ?Sized>(PhantomData<fn(&T)>);

impl<T: ?Sized> TypeName<T> {
    /// The only value.
    pub const NEW: Self = Self(PhantomData);
}

impl<T: ?Sized> KeySegment for TypeName<T> {}

impl<T: ?Sized> KeyIdentity for TypeName<T> {
    fn write(&self, out: &mut SegmentWriter<'_>) {
        out.text(&std::any::type_name::<T>().replace("::", "."));
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Hashed, Serialized};
    use super::*;

    fn render(template: &[Piece], segments: &[&dyn KeySegment]) -> String {
        Prefix::new("shop").render(template, "a::b::{{closure}}::{{closure}}", segments).unwrap().to_string()
    }

    #[test]
    fn readable_where_it_can_be() {
        let template = [Piece::Literal("user:"), Piece::Segment("id"), Piece::Literal(":"), Piece::Segment("lang")];
        assert_eq!(render(&template, &[&42u64, &"en"]), "shop:k:user:42:en");
        assert_eq!(render(&template, &[&-1i8, &Some("a:b")]), "shop:k:user:-1:a%3Ab");
        assert_eq!(render(&template, &[&"42", &None::<&str>]), "shop:k:user:'42:~");
        assert_eq!(render(&template, &[&(1, "x"), &["", "y"]]), "shop:k:user:(1,x):[',y]");
    }

    #[test]
    fn parts_that_are_written_in_a_row_are_kept_apart() {
        struct InARow(Option<u8>, u64);
        impl KeySegment for InARow {}
        impl KeyIdentity for InARow {
            fn write(&self, out: &mut SegmentWriter<'_>) {
                self.0.write(out);
                out.integer(self.1);
                out.variant("V", &[&self.1]);
                [1u8].as_slice().write(out);
            }
        }
        let template = [Piece::Segment("a"), Piece::Literal(":"), Piece::Segment("b")];
        assert_eq!(
            render(&template, &[&InARow(Some(1), 23), &(InARow(None, 3), 12u8)]),
            "shop:k:1,23,V(23),[1]:((~,3,V(3),[1]),12)"
        );
        assert_eq!(render(&template, &[&Some(Some(None::<u8>)), &Some(Some(1u8))]), "shop:k:~~~:1");
        let zero = std::num::NonZero::new(7usize).unwrap();
        assert_eq!(render(&[Piece::Segment("n")], &[&zero]), "shop:k:7");
    }

    #[test]
    fn path_of_the_function_without_the_compilers_closures() {
        assert_eq!(render(&[Piece::Path], &[]), "shop:k:a.b");
    }

    #[test]
    fn long_segments_and_keys_are_hashed_and_keep_their_hash_tag() {
        let long = "x".repeat(65);
        let key = render(&[Piece::Segment("s")], &[&long]);
        assert_eq!(key.len(), "shop:k:#".len() + 64);
        assert_ne!(key, render(&[Piece::Segment("s")], &[&"x".repeat(66)]));

        let literal: &'static str = Box::leak(format!("{{tag}}:{}", "y".repeat(600)).into_boxed_str());
        let key = render(&[Piece::Literal(literal)], &[]);
        assert!(key.starts_with("shop:k:{tag}#"), "{key}");
        assert!(key.len() <= MAX_KEY);
    }

    fn literal(text: &str) -> [Piece; 1] {
        [Piece::Literal(Box::leak(text.to_owned().into_boxed_str()))]
    }

    #[test]
    fn limits_are_the_last_that_fits() {
        let segment = |len: usize| render(&[Piece::Segment("s")], &[&"x".repeat(len)]);
        assert_eq!(segment(64), format!("shop:k:{}", "x".repeat(64)));
        assert!(segment(65).starts_with("shop:k:#"));

        let fits = "x".repeat(MAX_KEY - "shop:k:".len());
        assert_eq!(render(&literal(&fits), &[]), format!("shop:k:{fits}"));
        assert!(render(&literal(&(fits.clone() + "x")), &[]).starts_with("shop:k:#"));
        let prefix = Prefix::new("shop");
        assert_eq!(&*prefix.literal(&fits), format!("shop:k:{fits}"));
        assert_eq!(*prefix.literal(&(fits.clone() + "x")), *render(&literal(&(fits + "x")), &[]));

        let path = |len: usize| prefix.render(&[Piece::Path], &"p".repeat(len), &[]).unwrap();
        assert_eq!(&*path(128), format!("shop:k:{}", "p".repeat(128)));
        assert_eq!(path(129).len(), "shop:k:#".len() + 64);
        assert_ne!(path(129), path(130));
    }

    #[test]
    fn a_hash_tag_is_kept_if_it_is_one_and_not_too_long() {
        let rest = "y".repeat(600);
        let key = |start: &str| render(&literal(&format!("{start}{rest}")), &[]);
        assert!(key("a:{tag}:}").starts_with("shop:k:{tag}#"));
        assert!(key("{t}").starts_with("shop:k:{t}#"));
        assert!(key("}{t}").starts_with("shop:k:{t}#"));
        assert!(key("{}{t}").starts_with("shop:k:#"), "Redis takes the first pair, and an empty one is none");
        assert!(key("{tag").starts_with("shop:k:#"));
        let tag = format!("{{{}}}", "t".repeat(127));
        assert!(key(&format!("user:{tag}")).starts_with(&format!("shop:k:{tag}#")));
        let tag = format!("{{{}}}", "t".repeat(128));
        assert!(key(&format!("user:{tag}")).starts_with("shop:k:#"));
    }

    #[test]
    fn hashes_are_hashed_once_and_names_of_types_are_text() {
        let hashed = render(&[Piece::Hash("x")], &[&Hashed(&1)]);
        assert_eq!(hashed.len(), "shop:k:@".len() + 64);
        assert!(hashed.starts_with("shop:k:@"), "{hashed}");
        assert_ne!(hashed, render(&[Piece::Hash("x")], &[&Hashed(&2)]));
        assert_ne!(hashed, render(&[Piece::Serde("x")], &[&Serialized(&1)]));
        assert_eq!(render(&[Piece::Serde("x")], &[&Serialized(&1)]).len(), hashed.len());
        assert_eq!(render(&[Piece::Segment("x")], &[&(1, Hashed(&1))]).len(), "shop:k:#".len() + 64);
        assert_eq!(render(&[Piece::Segment("T")], &[&TypeName::<Option<u8>>::NEW]), "shop:k:core.option.Option<u8>");
    }

    #[test]
    fn a_template_with_more_segments_than_arguments_has_no_key() {
        let template = [Piece::Segment("a"), Piece::Segment("b")];
        assert_eq!(Prefix::new("n").render(&template, "", &[&1]), Err("b"));
    }

    #[test]
    fn entries_tags_events_and_tickets_of_one_name_are_four_registers() {
        #[derive(crate::CacheEvent)]
        struct Sold {
            id: u64,
        }

        let prefix = Prefix::new("shop");
        let entry = prefix.literal("Sold:7");
        let (tag, ticket) = (prefix.tag("Sold:7"), prefix.ticket(&entry));
        let (event, any) =
            (prefix.render_event(Some(&Sold { id: 7 })).unwrap(), prefix.render_event::<Sold>(None).unwrap());
        assert_eq!([&*entry, &*tag, &*event], ["shop:k:Sold:7", "shop:t:Sold:7", "shop:e:Sold:7"]);
        assert_eq!([&*any, &*ticket, &*prefix.all_tags()], ["shop:e:Sold", "shop:r:k:Sold:7", "shop:t"]);
    }

    #[test]
    fn a_value_that_cannot_be_serialized_has_no_key() {
        struct Broken;
        impl serde::Serialize for Broken {
            fn serialize<S: serde::Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
                Err(serde::ser::Error::custom("no"))
            }
        }
        let broken = Serialized(&Broken);
        assert_eq!(Prefix::new("n").render(&[Piece::All], "", &[&broken]), Err("<*>"));
        let template =
            [Piece::Segment("a"), Piece::Literal(":"), Piece::Serde("b.c"), Piece::Literal(":"), Piece::Hash("d")];
        assert_eq!(Prefix::new("n").render(&template, "", &[&1, &broken, &Hashed(&2)]), Err("b.c"), "it is named");
    }
}
