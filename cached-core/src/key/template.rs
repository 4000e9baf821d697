//! Renders a template and its segments to one key.

use super::{Key, KeyIdentity, KeySegment, MAX_KEY, MAX_SEGMENT, Piece, SegmentWriter, push_sha256};
use crate::user_code::caught;
use std::cell::Cell;
use std::fmt::Debug;
use std::marker::PhantomData;
use std::sync::Arc;

/// The beginning of every key of one cache: `<namespace>:k:` for entries, `<namespace>:t:<tag>`,
/// `<namespace>:e:<event>:<fields>`, `<namespace>:e:<event>;<names>:<fields>` for some of its fields, `<namespace>:r:` for
/// refresh leases, and `<namespace>:t` for all tags.
///
/// It contains no version: all versions of a rolling deployment share their registers, so each one's writes reach the
/// others.
#[derive(Debug, Clone)]
pub(crate) struct Prefix {
    entries: Arc<str>,
    tags: Arc<str>,
    pub(crate) events: Arc<str>,
    all_tags: Key,
    refresh_leases: Arc<str>,
}

impl Prefix {
    pub(crate) fn new(namespace: &str) -> Self {
        Self {
            entries: format!("{namespace}:k:").into(),
            tags: format!("{namespace}:t:").into(),
            events: format!("{namespace}:e:").into(),
            all_tags: format!("{namespace}:t").into(),
            refresh_leases: format!("{namespace}:r:").into(),
        }
    }

    /// Renders one call's key. Fails if an argument cannot be rendered, because its `write` or `Serialize` failed or
    /// panicked.
    pub(crate) fn render(
        &self,
        template: &[Piece],
        path: &str,
        segments: &[&dyn KeySegment],
    ) -> Result<Key, Unrenderable> {
        rendered(&self.entries, |out, current| render(out, current, template, path, segments, push_segment))
    }

    /// Like [`render`](Self::render), but gives the key to `read` without a copy.
    pub(crate) fn with_rendered<R>(
        &self,
        template: &[Piece],
        path: &str,
        segments: &[&dyn KeySegment],
        read: impl FnOnce(&str) -> R,
    ) -> Result<R, Unrenderable> {
        with_rendered(&self.entries, |out, current| render(out, current, template, path, segments, push_segment), read)
    }

    /// Renders the register of a tag. Its text is that of [`tag`](Self::tag).
    pub(crate) fn render_tag(&self, template: &[Piece], segments: &[&dyn KeySegment]) -> Result<Key, Unrenderable> {
        rendered(&self.tags, |out, current| render(out, current, template, "", segments, push_plain))
    }

    /// The register of one of an event's topics: of all events of the name, if nothing follows it.
    pub(crate) fn event(&self, name: &str, tail: &str) -> Key {
        bounded(&self.events, &mut [&self.events, name, tail].concat())
    }

    /// The register of a tag whose text was written by hand.
    pub(crate) fn tag(&self, text: &str) -> Key {
        bounded(&self.tags, &mut [&self.tags, text].concat())
    }

    /// The beginning of all registers of the namespace.
    pub(crate) fn namespace(&self) -> &str {
        self.tags.trim_end_matches("t:")
    }

    /// The name of a tag's or an event's register: its key without the namespace.
    pub(crate) fn name_of<'a>(&self, register: &'a str) -> &'a str {
        register.strip_prefix(self.namespace()).unwrap_or(register)
    }

    /// The register of this name.
    pub(crate) fn register(&self, name: &str) -> Key {
        [self.namespace(), name].concat().into()
    }

    /// The beginning of the keys of all entries.
    pub(crate) fn entries(&self) -> &str {
        &self.entries
    }

    /// The register of the lease for refreshing the entry under `key`. It does not begin like an entry, so a sweep of
    /// the entries does not remove it; removing it would do no harm.
    pub(crate) fn refresh_lease(&self, key: &Key) -> Key {
        bounded(&self.refresh_leases, &mut [&self.refresh_leases, self.name_of(key)].concat())
    }

    /// The register that every write of a tag touches.
    pub(crate) fn all_tags(&self) -> Key {
        self.all_tags.clone()
    }

    /// The text of an entry's key without the prefix, which [`literal`](Self::literal) turns into the key again.
    pub(crate) fn text_of<'a>(&self, key: &'a str) -> &'a str {
        key.strip_prefix(&*self.entries).unwrap_or(key)
    }

    /// The key of this text, which is not escaped.
    pub(crate) fn literal(&self, text: &str) -> Key {
        bounded(&self.entries, &mut [&self.entries, text].concat())
    }
}

/// Something that cannot be rendered, by its name in the attribute: a placeholder, `<*>` or an event.
pub(crate) type Unrenderable = &'static str;

/// The name of what is being rendered.
type Current = Cell<Unrenderable>;

pub(crate) fn rendered(
    prefix: &str,
    render: impl FnOnce(&mut String, &Current) -> Option<()>,
) -> Result<Key, Unrenderable> {
    with_rendered(prefix, render, |key| Key::from(key))
}

fn with_rendered<R>(
    prefix: &str,
    render: impl FnOnce(&mut String, &Current) -> Option<()>,
    read: impl FnOnce(&str) -> R,
) -> Result<R, Unrenderable> {
    // Taken out, because user code that renders a segment may render a key itself.
    let mut out = SCRATCH.take();
    out.clear();
    out.push_str(prefix);
    let current = Cell::new("");
    // A segment whose `write` or `Serialize` panics cannot be rendered either.
    let read = caught(|| render(&mut out, &current)).ok().flatten().map(|()| {
        bound(prefix, &mut out);
        read(&out)
    });
    SCRATCH.set(out);
    read.ok_or(current.get())
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
    /// A buffer in which keys are rendered; a finished key is copied out of it and takes no more than it needs.
    static SCRATCH: Cell<String> = const { Cell::new(String::new()) };
}

fn render(
    out: &mut String,
    current: &Current,
    template: &[Piece],
    path: &str,
    segments: &[&dyn KeySegment],
    push: fn(&mut String, &dyn KeySegment) -> Option<()>,
) -> Option<()> {
    let mut segments = segments.iter();
    for piece in template {
        match piece {
            Piece::Literal(text) => out.push_str(text),
            Piece::Path => push_path(out, path),
            Piece::Segment(name) | Piece::Hash(name) | Piece::Serde(name) => {
                current.set(name);
                push(out, *segments.next()?)?;
            }
            Piece::All => {
                current.set("<*>");
                push(out, *segments.next()?)?;
            }
        }
    }
    Some(())
}

fn push_segment(out: &mut String, segment: &dyn KeySegment) -> Option<()> {
    let start = out.len();
    let mut failed = false;
    segment.write(&mut SegmentWriter::new(out, &mut failed));
    // A hash is not hashed again. Text cannot be mistaken for one: if it begins with `@` or `#`, it is marked.
    if out.len() - start > MAX_SEGMENT && !out[start..].starts_with(['@', '#']) {
        let long = out.split_off(start);
        out.push('#');
        push_sha256(out, "segment", long.as_bytes());
    }
    (!failed).then_some(())
}

/// A segment of a tag. It is not hashed, because that of a tag by hand is not either; a name that is too long is.
fn push_plain(out: &mut String, segment: &dyn KeySegment) -> Option<()> {
    let mut failed = false;
    segment.write(&mut SegmentWriter::plain(out, &mut failed));
    (!failed).then_some(())
}

/// Renders the path of a function, and hashes it if it is long.
///
/// `shop::repo::UserRepo<Pg>::find::{{closure}}` → `shop.repo.UserRepo<Pg>.find`
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

/// The `{tag}` by which Redis Cluster places the key, if there is one and it is not too long.
fn hash_tag(rendered: &str) -> Option<&str> {
    let open = rendered.find('{')?;
    let close = open + rendered[open..].find('}')?;
    (close > open + 1 && close - open <= 2 * MAX_SEGMENT).then(|| &rendered[open..=close])
}

/// A segment that was rendered before.
#[derive(Debug)]
pub struct Rendered {
    in_keys: Option<String>,
    /// `None` if it is the same.
    in_tags: Option<String>,
}

impl Rendered {
    pub(crate) fn of(segment: &dyn KeySegment) -> Self {
        let rendered = |push: fn(&mut String, &dyn KeySegment) -> Option<()>| {
            let mut out = String::new();
            caught(|| push(&mut out, segment)).ok().flatten().map(|()| out)
        };
        let in_keys = rendered(push_segment);
        Self { in_tags: rendered(push_plain).filter(|text| Some(text) != in_keys.as_ref()), in_keys }
    }
}

impl KeySegment for Rendered {}

impl KeyIdentity for Rendered {
    fn write(&self, out: &mut SegmentWriter<'_>) {
        let in_tags = self.in_tags.as_ref().filter(|_| out.is_plain());
        match in_tags.or(self.in_keys.as_ref()) {
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
    fn keys_are_readable_where_they_can_be() {
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
    fn the_path_of_a_function_is_rendered_without_the_compilers_closures() {
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
    fn text_as_long_as_its_limit_is_not_hashed() {
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
    fn a_hash_tag_is_kept_if_redis_takes_it_for_one_and_it_is_not_too_long() {
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
    fn entries_tags_events_and_refresh_leases_of_one_name_are_four_registers() {
        #[derive(crate::CacheEvent)]
        struct Sold {
            id: u64,
        }

        let prefix = Prefix::new("shop");
        let entry = prefix.literal("Sold:7");
        let (tag, refresh_lease) = (prefix.tag("Sold:7"), prefix.refresh_lease(&entry));
        let (event, any) = (prefix.render_event(&Sold { id: 7 }).unwrap(), prefix.event("Sold", ""));
        assert_eq!([&*entry, &*tag, &*event], ["shop:k:Sold:7", "shop:t:Sold:7", "shop:e:Sold:7"]);
        assert_eq!([&*any, &*refresh_lease, &*prefix.all_tags()], ["shop:e:Sold", "shop:r:k:Sold:7", "shop:t"]);
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
