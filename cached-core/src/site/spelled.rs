//! Reads the spelling of return types.

/// The type that is stored, as far as the spelling shows: `Result<Option<m::User>, E>` → `User`.
///
/// Paths are dropped, because the same type is imported in many ways. Fingerprints tell different types with the same
/// spelling apart when the values are read.
///
/// `None` if an alias hides the type, such as `UserResult`.
pub(super) fn stored_type(value: &str, is_batch: bool) -> Option<String> {
    let spelled = if is_batch { element_type(value)? } else { value };
    let mut inner = spelled.trim();
    while let Some((outer, rest)) = inner.split_once('<') {
        let Some(arguments) = rest.strip_suffix('>') else { break };
        let name = outer.rsplit("::").next().unwrap_or(outer).trim();
        // An `Arc<T>` is stored as a `T`.
        if !matches!(name, "Option" | "Arc") && !name.ends_with("Result") {
            break;
        }
        inner = first_argument(arguments).trim();
    }
    let name = last_names(inner);
    (!name.ends_with("Result")).then_some(name)
}

/// The type of one id's value in a batch: `Result<HashMap<u64, User>, E>` → `User`.
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

/// Drops the path before every name, and white space.
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
