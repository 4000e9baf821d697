//! What will be generated. A [`Model`] only comes out of [`crate::validate`], so that generating cannot fail.

use proc_macro2::Span;
use syn::{Attribute, Expr, Ident, Member, Path, Type, token};

use crate::signature::{Argument, Boxed, Function};
use crate::template::Form;

/// A function and what its attribute makes of it.
pub(crate) struct Model {
    pub(crate) frame: Frame,
    pub(crate) action: Action,
}

/// What all attributes need of a function.
pub(crate) struct Frame {
    /// The module that generated code may call: `::cached_core::__private`.
    pub(crate) support: Path,
    /// The function; its body still as written.
    pub(crate) function: Function,
    /// Where the body is, if `#[async_trait]` has moved it.
    pub(crate) boxed: Option<Boxed>,
    /// What a call is awaited to; `_` stands for what has no name.
    pub(crate) returns: Type,
    pub(crate) cache: Option<Expr>,
}

/// What happens around the body.
pub(crate) enum Action {
    /// On a hit, it does not run.
    Read(Entry),
    /// The same for each id of a list; it runs for those that are missing.
    Batch(Entry, Box<Batch>),
    /// It is between BEGIN and END.
    Bracket { what: Invalidated, unavailable: Unavailable },
    /// It is followed by the invalidation.
    After(Invalidated),
    /// It is between BEGIN and END, and its value is stored.
    Put { entry: Entry, emits: Vec<Event>, unavailable: Unavailable },
}

/// What a function stores.
pub(crate) struct Entry {
    pub(crate) key: Vec<Piece>,
    pub(crate) listens: Vec<Event>,
    pub(crate) tags: Vec<Template>,
    pub(crate) tags_of: Option<Policy>,
    pub(crate) ttl: Option<Ttl>,
    pub(crate) jitter: Option<f64>,
    pub(crate) none_ttl: Option<NoneTtl>,
    pub(crate) version: Option<u32>,
    pub(crate) codec: Option<Codec>,
    pub(crate) cache_if: Option<Policy>,
    pub(crate) local: Option<Local>,
    /// `on_gap = "serve"`
    pub(crate) serves_in_gap: bool,
    pub(crate) fresh: Option<Freshness>,
    /// Given if a load may be a task.
    pub(crate) detached: Option<Detached>,
}

/// A function over many ids.
pub(crate) struct Batch {
    /// The argument that lists them.
    pub(crate) ids: Argument,
    /// What templates call one of them.
    pub(crate) element: Ident,
    /// The other arguments: the body may run again.
    pub(crate) others: Vec<Argument>,
}

/// What a function makes invalid.
pub(crate) struct Invalidated {
    pub(crate) events: Vec<Event>,
    pub(crate) keys: Vec<Template>,
    pub(crate) tags: Vec<Template>,
}

/// What becomes of a write whose bracket cannot be opened.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unavailable {
    Proceed,
    Fail,
}

/// An event that is listened to or caused.
pub(crate) struct Event {
    pub(crate) path: Path,
    pub(crate) fields: EventFields,
    /// As it is written.
    pub(crate) text: String,
    /// The arguments that its fields are made of.
    pub(crate) uses: Vec<Ident>,
    /// Those of them that two calls with the same key may differ in.
    pub(crate) not_in_key: Vec<String>,
}

pub(crate) enum EventFields {
    /// `CatalogueReloaded`
    Unit,
    /// `UserUpdated { .. }`
    Any,
    /// `UserUpdated { id }`
    Named { brace: token::Brace, fields: Vec<EventField> },
}

/// `id`, `id: user.id`
pub(crate) struct EventField {
    pub(crate) member: Member,
    pub(crate) value: FieldValue,
    /// `ret`, as it is written here, if it is.
    pub(crate) ret: Option<Ident>,
}

pub(crate) enum FieldValue {
    /// The argument of the field's name.
    Argument(Ident),
    /// The element of a batch, which stands there by reference.
    Element(Ident),
    Code(Expr),
}

/// The template of a tag, or of a key that is removed.
pub(crate) struct Template {
    pub(crate) pieces: Vec<Piece>,
    /// As for [`Event`].
    pub(crate) not_in_key: Vec<String>,
}

/// A piece of a template.
pub(crate) enum Piece {
    /// The path of the function.
    Path,
    Literal(String),
    Segment(Segment),
    /// All arguments that are not skipped, nor named by `:serde`; hashed.
    All {
        arguments: Vec<Ident>,
        /// Where `<*>` is written; `None` for the default key.
        span: Option<Span>,
    },
}

/// A value in a template.
pub(crate) struct Segment {
    /// The placeholder as written, without brackets and modifier.
    pub(crate) path: String,
    pub(crate) value: Value,
    pub(crate) form: Form,
    /// Where it is written; a type that cannot be a segment is reported there.
    pub(crate) span: Span,
}

/// What a placeholder stands for.
pub(crate) enum Value {
    /// An argument, or `self`, and the way to one of its fields.
    Place { root: Ident, fields: Vec<Member> },
    /// `ret` and the way to one of its fields.
    Returned { fields: Vec<Member> },
    /// A type parameter, of the function or of what it stands in.
    Type(Ident),
    /// A const parameter, or a constant, and the way to one of its fields.
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

/// How long a `None` lives.
pub(crate) enum NoneTtl {
    Class(String),
    Millis(u64),
    Off,
}

/// The near cache of a function.
pub(crate) enum Local {
    Off,
    /// For so many milliseconds at most. With the option's name as written: values that cannot be kept are reported there.
    Millis(u64, Ident),
}

/// What happens when a value's time is over, and before. Times are in milliseconds.
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
    /// `stale_if_error`, as written, where only a failure brings it about: a function that cannot fail is reported there.
    pub(crate) needs_failure: Option<Ident>,
}

/// A body that becomes a task: what it takes along.
pub(crate) struct Detached {
    /// The option that asks for it, as written.
    pub(crate) option: Ident,
    /// `self`, and whether it is borrowed.
    pub(crate) receiver: Option<(Ident, bool)>,
    pub(crate) taken: Vec<Taken>,
}

/// An argument.
pub(crate) struct Taken {
    pub(crate) name: Ident,
    /// It is cloned, else moved.
    pub(crate) is_borrowed: bool,
    /// `#[cfg]` on it.
    pub(crate) cfg: Vec<Attribute>,
}

/// The serializer of the payload.
#[derive(Clone, Copy)]
pub(crate) enum Codec {
    Json,
    MessagePack,
    Postcard,
}

/// Code of the user's that is evaluated at run time.
pub(crate) struct Policy {
    /// The option's name as written; a wrong type is explained there.
    pub(crate) option: Ident,
    pub(crate) code: Expr,
}

impl Invalidated {
    /// Whether something of it is made of what the function returns.
    pub(crate) fn uses_ret(&self) -> bool {
        self.events.iter().any(|event| event.ret().is_some())
            || self.keys.iter().chain(&self.tags).any(Template::uses_ret)
    }
}

impl Event {
    /// `ret`, as it is written in one of the fields.
    pub(crate) fn ret(&self) -> Option<&Ident> {
        match &self.fields {
            EventFields::Unit | EventFields::Any => None,
            EventFields::Named { fields, .. } => fields.iter().find_map(|field| field.ret.as_ref()),
        }
    }
}

impl Template {
    /// Whether it is made of what the function returns.
    pub(crate) fn uses_ret(&self) -> bool {
        self.pieces.iter().any(Piece::uses_ret)
    }
}

impl Piece {
    pub(crate) fn uses_ret(&self) -> bool {
        matches!(self, Self::Segment(Segment { value: Value::Returned { .. }, .. }))
    }
}

/// When the cache is told.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    Bracket,
    After,
}
