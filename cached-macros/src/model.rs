//! What will be generated. A [`Model`] only comes out of [`crate::validate`], so that generating cannot fail.

use proc_macro2::Span;
use syn::{Expr, Ident, Member, Path, Type};

use crate::signature::{Boxed, Function};

/// A cached function.
pub(crate) struct Model {
    /// The module that generated code may call: `::cached_core::__private`.
    pub(crate) support: Path,
    /// The function; its body still as written.
    pub(crate) function: Function,
    /// Where the body is, if `#[async_trait]` has moved it.
    pub(crate) boxed: Option<Boxed>,
    /// What a call is awaited to.
    pub(crate) returns: Type,
    pub(crate) key: Vec<Piece>,
    pub(crate) ttl: Option<Ttl>,
    pub(crate) jitter: Option<f64>,
    pub(crate) none_ttl: Option<NoneTtl>,
    pub(crate) version: Option<u32>,
    pub(crate) codec: Option<Codec>,
    pub(crate) cache_if: Option<Policy>,
    pub(crate) cache: Option<Expr>,
}

/// A piece of the key.
pub(crate) enum Piece {
    /// The path of the function.
    Path,
    Literal(String),
    Segment(Segment),
    /// All arguments that are not skipped, hashed.
    All {
        arguments: Vec<Ident>,
        /// Where `<*>` is written; `None` for the default key.
        span: Option<Span>,
    },
}

/// A value in the key.
pub(crate) struct Segment {
    /// The placeholder as written, without brackets and modifier.
    pub(crate) path: String,
    pub(crate) value: Value,
    pub(crate) hashed: bool,
    /// Where it is written; a type that cannot be a segment is reported there.
    pub(crate) span: Span,
}

/// What a placeholder stands for.
pub(crate) enum Value {
    /// An argument, or `self`, and the way to one of its fields.
    Place { root: Ident, fields: Vec<Member> },
    /// A type parameter.
    Type(Ident),
    /// A const parameter.
    Const(Ident),
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
