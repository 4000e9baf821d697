//! Return types as they are spelled.

/// The type that is stored, as far as the spelling tells: `Result<Option<m::User>, E>` → `User`.
///
/// Only the names count, not their paths: the same type is imported in many ways. Types that are spelled alike and are
/// not the same are told apart by their fingerprints when they are read.
///
/// `None` if it hides behind an alias, such as `UserResult`.
pub(super) fn stored_type(value: &str, is_batch: bool) -> Option<String> {
    let spelled = if is_batch { element_type(value)? } else { value };
    let mut inner = spelled.trim();
    while let Some((outer, rest)) = inner.split_once('<') {
        let Some(arguments) = rest.strip_suffix('>') else { break };
        let name = outer.rsplit("::").next().unwrap_or(outer).trim();
        // What is shared is stored as what it is shared of.
        if !matches!(name, "Option" | "Arc") && !name.ends_with("Result") {
            break;
        }
        inner = first_argument(arguments).trim();
    }
    let name = last_names(inner);
    (!name.ends_with("Result")).then_some(name)
}

/// What one id of a batch has: `Result<HashMap<u64, User>, E>` → `User`.
fn element_type(spelled: &str) -> Option<&str> {
    let (outer, rest) = spelled.trim().split_once('<')?;
    let arguments = rest.strip_suffix('>')?;
    let first = first_argument(arguments);
    match outer.rsplit("::").next().unwrap_or(outer).trim() {
        "HashMap" | "BTreeMap" => Some(first_argument(arguments[first.len()..].strip_prefix(',')?)),
        "Vec" => Some(first),
        name if name.ends_with("Result") => element_type(first),
        _ => None,
    }
}

/// `Option<A, B>, C` → `Option<A, B>`
fn first_argument(arguments: &str) -> &str {
    let mut depth = 0i32;
    for (at, c) in arguments.char_indices() {
        match c {
            '<' | '(' | '[' => depth += 1,
            '>' | ')' | ']' => depth -= 1,
            ',' if depth == 0 => return &arguments[..at],
            _ => {}
        }
    }
    arguments
}

/// Drops the path in front of every name, and white space.
fn last_names(ty: &str) -> String {
    let mut out = String::new();
    let mut word = String::new();
    let mut chars = ty.chars().filter(|c| !c.is_whitespace()).peekable();
    while let Some(c) = chars.next() {
        if c == ':' && chars.peek() == Some(&':') {
            chars.next();
            word.clear();
        } else if c.is_alphanumeric() || c == '_' {
            word.push(c);
        } else {
            out.push_str(&word);
            word.clear();
            out.push(c);
        }
    }
    out + &word
}
