//! The pieces of a template, and which texts they can be rendered to.

use super::MAX_SEGMENT;
use super::segment::needs_mark;

/// One piece of a template, as the attribute parsed it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Piece {
    /// Text that stands in every key.
    Literal(&'static str),
    /// `<name>`: one segment.
    Segment(&'static str),
    /// `<name:hash>`: one segment, hashed whatever its length.
    Hash(&'static str),
    /// `<name:serde>`: one segment, the hash of what the value's `Serialize` writes.
    Serde(&'static str),
    /// `<*>`: all arguments, hashed.
    All,
    /// The path of the function, with which a key without a template begins.
    Path,
}

impl Piece {
    /// Whether both render equal arguments alike; the names of the arguments do not matter.
    pub(crate) fn renders_like(self, other: Self) -> bool {
        match (self, other) {
            (Self::Segment(_), Self::Segment(_))
            | (Self::Hash(_), Self::Hash(_))
            | (Self::Serde(_), Self::Serde(_)) => true,
            (a, b) => a == b,
        }
    }
}

/// Whether a placeholder may have been rendered to `part`. `texts` names the arguments that are text.
pub(crate) fn is_rendered(placeholder: Piece, part: &str, texts: &[&str]) -> bool {
    let is_hash = |mark: char| {
        let hash = part.strip_prefix(mark);
        hash.is_some_and(|hash| hash.len() == 64 && hash.bytes().all(|byte| byte.is_ascii_hexdigit()))
    };
    let name = match placeholder {
        Piece::Hash(_) | Piece::Serde(_) | Piece::All => return is_hash('@'),
        Piece::Segment(name) => Some(name),
        Piece::Literal(_) | Piece::Path => None,
    };
    if is_hash('#') {
        return true;
    }
    let escapes = part.split('%').skip(1);
    let is_escape = |escape: &str| escape.len() >= 2 && escape.bytes().take(2).all(|byte| byte.is_ascii_hexdigit());
    let is_escaped = !part.contains([':', '{', '}']) && !part.contains(char::is_control) && { escapes }.all(is_escape);
    let is_text = name.is_some_and(|name| texts.contains(&name));
    let is_marked = part.starts_with(['\'', '~']) || !needs_mark(part) && !part.contains(['(', ')', '[', ']', ',']);
    !part.is_empty() && part.len() <= MAX_SEGMENT && is_escaped && (!is_text || is_marked)
}
