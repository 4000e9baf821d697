//! What will be generated. Only [`crate::validate`] makes a [`Model`], so generating code cannot fail.

use proc_macro2::Span;
use quote::ToTokens;
use syn::{Attribute, Expr, Ident, Member, Pat, Path, Type, token};

use crate::signature::{Argument, BoxedBody, Function};
use crate::template::Form;

/// A function, and what happens around its body.
pub(crate) struct Model {
    pub(crate) frame: Frame,
    pub(crate) action: Action,
}

/// The parts of a function that all attributes need.
pub(crate) struct Frame {
    /// The module that generated code may call: `::cached_core::__private`.
    pub(crate) support: Path,
    /// The function, with the body as the user wrote it.
    pub(crate) function: Function,
    /// Where the body is, if `#[async_trait]` has moved it.
    pub(crate) boxed: Option<BoxedBody>,
    /// The type of an awaited call, with `_` for `impl Trait`.
    pub(crate) returns: Type,
    pub(crate) cache: Option<Expr>,
}

/// What happens around the body.
pub(crate) enum Action {
    /// On a hit, the body does not run.
    Read(Entry),
    /// The same for each id of a list; the body runs for the missing ids.
    Batch(Entry, Box<Batch>),
    /// The body runs between BEGIN and END.
    Bracket { what: Invalidation, unavailable: OnUnavailable },
    /// The invalidation follows the body.
    After(Invalidation),
    /// The body runs between BEGIN and END, and its value is stored.
    Put { entry: Entry, emits: Vec<Event>, unavailable: OnUnavailable },
}

/// What a function stores.
pub(crate) struct Entry {
    pub(crate) key: Vec<Piece>,
    pub(crate) listens: Vec<Event>,
    pub(crate) tags: Vec<Template>,
    pub(crate) tags_of: Option<ValueTags>,
    pub(crate) ttl: Option<Ttl>,
    pub(crate) jitter: Option<f64>,
    pub(crate) none_ttl: Option<NoneTtl>,
    pub(crate) version: Option<u32>,
    /// The codec, and where it is named.
    pub(crate) codec: Option<(Codec, Span)>,
    pub(crate) cache_if: Option<Policy>,
    pub(crate) errors: Option<StoredErrors>,
    pub(crate) local: Option<Local>,
    /// `on_gap = "serve"`
    pub(crate) serves_in_gap: bool,
    pub(crate) fresh: Option<Freshness>,
    /// Set if a load may be a task.
    pub(crate) detached: Option<TaskBody>,
}

/// A function over many ids.
pub(crate) struct Batch {
    /// The argument that lists the ids.
    pub(crate) ids: Argument,
    /// The name of one id in templates.
    pub(crate) element: Ident,
    /// The other arguments, which every run of the body needs.
    pub(crate) others: Vec<Argument>,
}

/// What a function invalidates.
#[derive(Default)]
pub(crate) struct Invalidation {
    pub(crate) events: Vec<Event>,
    pub(crate) keys: Vec<Template>,
    pub(crate) tags: Vec<Template>,
    pub(crate) each: Vec<Each>,
}

/// What a function invalidates for each item of a list.
pub(crate) struct Each {
    pub(crate) pattern: Pat,
    /// The names that the pattern binds.
    pub(crate) items: Vec<Ident>,
    /// The list, as it is iterated over.
    pub(crate) list: List,
    pub(crate) what: Invalidation,
}

/// What a `for` goes through.
pub(crate) struct List {
    pub(crate) code: Expr,
    pub(crate) is: Listed,
    /// `ret`, if the user wrote it here.
    pub(crate) ret: Option<Ident>,
}

/// How the items of a list are reached.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Listed {
    /// A place, which is borrowed.
    Place,
    /// A place that is a reference, whose target is borrowed.
    Reference,
    /// An iterator, or a value that becomes one.
    Value,
}

/// What a write does if its bracket cannot begin.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum OnUnavailable {
    Proceed,
    Fail,
}

/// An event that an entry listens to or a write causes.
pub(crate) struct Event {
    pub(crate) path: Path,
    pub(crate) fields: EventFields,
    /// The event as the user wrote it.
    pub(crate) text: String,
    /// The arguments that its fields use.
    pub(crate) uses: Vec<Ident>,
    /// The parts of arguments in its fields that two calls with the same key may differ in.
    pub(crate) not_in_key: Vec<String>,
}

pub(crate) enum EventFields {
    /// `CatalogueReloaded`
    Unit,
    /// `UserUpdated { .. }`
    Any,
    /// `UserUpdated { id }`, `UserUpdated { tenant, .. }`
    Named {
        brace: token::Brace,
        fields: Vec<EventField>,
        /// The event agrees in these fields only.
        are_some: bool,
    },
}

/// `id`, `id: user.id`
pub(crate) struct EventField {
    pub(crate) member: Member,
    pub(crate) value: FieldValue,
    /// `ret`, if the user wrote it here.
    pub(crate) ret: Option<Ident>,
    /// Whether it uses an item of a list.
    pub(crate) is_of_item: bool,
}

pub(crate) enum FieldValue {
    /// The argument with the name of the field.
    Argument(Ident),
    /// The same, if it is a `&str`.
    Text(Ident),
    /// The element of a batch, which is bound by reference.
    Element(Ident),
    /// An item of a list, which may be a reference.
    Item(Ident),
    Code(Expr),
}

/// The template of a tag, or of a key that a write removes.
pub(crate) struct Template {
    pub(crate) pieces: Vec<Piece>,
    /// As in [`Event`].
    pub(crate) not_in_key: Vec<String>,
}

/// A piece of a template.
pub(crate) enum Piece {
    /// The path of the function.
    Path,
    Literal(String),
    Segment(Segment),
    /// The hash of all arguments that neither `skip` nor `:serde` names.
    All {
        arguments: Vec<Ident>,
        /// The span of `<*>`; `None` for the default key.
        span: Option<Span>,
    },
}

/// A value in a template.
pub(crate) struct Segment {
    /// The placeholder as the user wrote it, without brackets and modifier.
    pub(crate) path: String,
    pub(crate) value: Value,
    pub(crate) form: Form,
    /// The span of the placeholder, where rustc reports a type that cannot be a segment.
    pub(crate) span: Span,
}

/// What a placeholder stands for.
pub(crate) enum Value {
    /// An argument or `self`, and the path to one of its fields.
    Place { root: Ident, fields: Vec<Member> },
    /// `ret`, and the path to one of its fields.
    Returned { fields: Vec<Member> },
    /// A type parameter of the function or its impl.
    Type(Ident),
    /// A const parameter or a constant, and the path to one of its fields.
    Const { path: Path, fields: Vec<Member> },
}

/// How long a value lives.
pub(crate) enum Ttl {
    Class(String),
    Millis(u64),
    /// Computed from the arguments.
    Expr(Policy),
    /// Computed from the value.
    OfValue(Policy),
}

/// The errors that are stored, like values.
pub(crate) struct StoredErrors {
    pub(crate) error_if: Policy,
    /// A class or a duration.
    pub(crate) ttl: Option<Ttl>,
}

/// How long a `None` lives.
pub(crate) enum NoneTtl {
    Class(String),
    Millis(u64),
    Off,
}

/// The near cache of a function.
pub(crate) enum Local {
    Off,
    /// Keeps values for at most so many milliseconds. The name of the option is where rustc reports values that cannot
    /// be kept.
    Millis(u64, Ident),
}

/// What happens to a value near or past its end. Times are in milliseconds.
#[derive(Default, PartialEq)]
pub(crate) struct Freshness {
    pub(crate) revalidate: Option<u64>,
    pub(crate) if_error: Option<u64>,
    /// β
    pub(crate) ahead: Option<f64>,
    /// `refresh = "background"`
    pub(crate) background: bool,
    pub(crate) spawn: bool,
    pub(crate) load_timeout: Option<u64>,
    /// `stale_if_error` without `load_timeout`: the name of the option, where rustc reports a function that cannot
    /// fail.
    pub(crate) needs_failure: Option<Ident>,
}

/// What a body captures that becomes a task.
pub(crate) struct TaskBody {
    /// The name of the option that makes it a task.
    pub(crate) option: Ident,
    /// `self`, and whether it is borrowed.
    pub(crate) receiver: Option<(Ident, bool)>,
    pub(crate) captures: Vec<Capture>,
}

/// An argument that a task captures.
pub(crate) struct Capture {
    pub(crate) name: Ident,
    /// Whether it is borrowed, and so cloned; otherwise it is moved.
    pub(crate) is_borrowed: bool,
    /// `#[cfg]` on it.
    pub(crate) cfg: Vec<Attribute>,
}

/// The serializer of the payload.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Codec {
    Json,
    MessagePack,
    Postcard,
    Bytes,
}

/// Code of the user that is evaluated at run time.
pub(crate) struct Policy {
    /// The name of the option, where rustc explains a wrong type.
    pub(crate) option: Ident,
    pub(crate) code: Expr,
}

impl Invalidation {
    /// Whether any part of it uses the returned value.
    pub(crate) fn uses_ret(&self) -> bool {
        self.events.iter().any(|event| event.ret().is_some())
            || self.keys.iter().chain(&self.tags).any(Template::uses_ret)
            || self.each.iter().any(|each| each.list.ret.is_some())
    }
}

impl Each {
    /// Whether the piece is of an item.
    pub(crate) fn has(&self, piece: &Piece) -> bool {
        let Piece::Segment(Segment { value: Value::Place { root, .. }, .. }) = piece else { return false };
        self.items.iter().any(|item| item == root)
    }
}

impl FieldValue {
    /// Where it ends: behind that place, rustc suggests the conversion to another type.
    pub(crate) fn end(&self) -> Span {
        match self {
            Self::Argument(name) | Self::Text(name) | Self::Element(name) | Self::Item(name) => name.span(),
            Self::Code(code) => {
                code.to_token_stream().into_iter().last().map_or_else(Span::call_site, |token| token.span())
            }
        }
    }
}

impl Event {
    /// `ret` in one of the fields.
    pub(crate) fn ret(&self) -> Option<&Ident> {
        match &self.fields {
            EventFields::Unit | EventFields::Any => None,
            EventFields::Named { fields, .. } => fields.iter().find_map(|field| field.ret.as_ref()),
        }
    }
}

impl Template {
    /// The arguments and items that it uses.
    pub(crate) fn roots(&self) -> impl Iterator<Item = &Ident> {
        self.pieces.iter().filter_map(|piece| match piece {
            Piece::Segment(Segment { value: Value::Place { root, .. }, .. }) => Some(root),
            _ => None,
        })
    }

    /// Whether it uses the returned value.
    pub(crate) fn uses_ret(&self) -> bool {
        self.pieces.iter().any(Piece::uses_ret)
    }
}

impl Piece {
    pub(crate) fn uses_ret(&self) -> bool {
        matches!(self, Self::Segment(Segment { value: Value::Returned { .. }, .. }))
    }
}

/// `tags = |page, tenant| ..`
pub(crate) struct ValueTags {
    pub(crate) policy: Policy,
    /// The arguments that the closure names behind the value: each argument, and where the closure names it.
    pub(crate) arguments: Vec<(Ident, Span)>,
}

/// When a write invalidates.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    Bracket,
    After,
}
