//! What to write for a field of an event that has the name of no argument. The macro sees only how types are written, so
//! it gives no example that would be a mere guess.

use syn::{Ident, Path, Type};

use super::batch::singular;
use super::scope::{Scope, spelled};
use crate::diagnostics::list;
use crate::signature::{Argument, bare, first_type_argument};
use crate::suggest::nearest;

/// Types without fields whose values can be copied.
const COPIED: [&str; 28] = [
    "bool",
    "char",
    "u8",
    "u16",
    "u32",
    "u64",
    "u128",
    "usize",
    "i8",
    "i16",
    "i32",
    "i64",
    "i128",
    "isize",
    "f32",
    "f64",
    "NaiveDate",
    "NaiveTime",
    "NaiveDateTime",
    "DateTime",
    "OffsetDateTime",
    "Date",
    "Time",
    "Uuid",
    "Ulid",
    "Decimal",
    "Duration",
    "IpAddr",
];

/// Other types without fields.
const TEXTS: [&str; 3] = ["str", "String", "Cow"];

/// Types whose fields are not those of one thing.
const CONTAINERS: [&str; 9] =
    ["Option", "Vec", "HashMap", "HashSet", "BTreeMap", "BTreeSet", "VecDeque", "Result", "PhantomData"];

/// How the names of types end through which a function reaches the data.
const HANDLES: [&str; 9] =
    ["Pool", "Connection", "Client", "Db", "Database", "Executor", "Transaction", "Repository", "State"];

/// What an argument may be, judged by how its type is written.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// It may be the field itself.
    Plain,
    /// It may have the field.
    Parts,
    Neither,
}

/// The message for `{ id }` where no argument is called `id`.
pub(super) fn not_an_argument(name: &str, event: &Path, scope: &Scope<'_>) -> String {
    let arguments: Vec<String> = scope.names.argument_names().collect();
    let receiver = scope.names.receiver.as_ref().map(|_| "self");
    let known: Vec<&str> = arguments.iter().map(String::as_str).chain(receiver).collect();
    if known.is_empty() {
        return format!(
            "no argument `{name}`: the function has no arguments; write `{name}: ..` with the value of the field"
        );
    }
    let known = list(&known);
    if let Some(value) = example(name, event, scope) {
        return format!("no argument `{name}`; write for example `{name}: {value}`; available: {known}");
    }
    match repeated(name, event, scope) {
        Some(each) => format!("no argument `{name}`; for each item of a list write `{each}`; available: {known}"),
        None => format!("no argument `{name}`; write `{name}: ..` with the value of the field; available: {known}"),
    }
}

/// The `for` through the only list among the arguments.
// Input:  BookChanged { id }, books: &[Book]
// Output: for book in books { BookChanged { id: book.id } }
fn repeated(name: &str, event: &Path, scope: &Scope<'_>) -> Option<String> {
    let mut lists = scope.names.arguments.iter().filter(|argument| scope.may_repeat && argument.item().is_some());
    let (Some(list), None) = (lists.next(), lists.next()) else { return None };
    let event = &event.segments.last()?.ident;
    let argument = &list.name;
    let is_plain = list.item().and_then(last).is_some_and(is_plain);
    let argument_name = spelled(argument);
    let item = if is_plain { name } else { singular(&argument_name) };
    if scope.names.argument(item).is_some() || item == "id" && !is_plain {
        return None;
    }
    let field = if is_plain { name.to_owned() } else { format!("{name}: {item}.{name}") };
    Some(format!("for {item} in {argument} {{ {event} {{ {field} }} }}"))
}

/// A value that the field may have.
fn example(name: &str, event: &Path, scope: &Scope<'_>) -> Option<String> {
    let all: Vec<&Argument> = scope.names.arguments.iter().collect();
    // Between the braces of a `for`, the item is meant and not the list.
    let items: Vec<&Argument> = all.iter().copied().filter(|argument| scope.is_item(&argument.name)).collect();
    if let Some(similar) = similar(name, &items).or_else(|| similar(name, &all)) {
        return Some(whole(similar));
    }
    let near = if items.is_empty() { &all } else { &items };
    let of = |kind: Kind| near.iter().copied().filter(move |argument| kind_of(argument, &scope.names.types) == kind);
    let parts: Vec<&Argument> = of(Kind::Parts).collect();
    let part = |of: &str| format!("{of}.{name}");
    if let Some(named) = parts.iter().find(|argument| is_named_after(event, &argument.name)) {
        return Some(part(&named.name.to_string()));
    }
    match (parts.as_slice(), of(Kind::Plain).collect::<Vec<_>>().as_slice()) {
        ([], [only]) => Some(whole(only)),
        ([only], []) => Some(part(&only.name.to_string())),
        ([], []) if all.is_empty() => scope.names.receiver.as_ref().map(|_| part("self")),
        _ => None,
    }
}

/// The argument with a similar name; `id` may be `user_id`, and `user_id` may be `id`.
fn similar<'a>(name: &str, arguments: &[&'a Argument]) -> Option<&'a Argument> {
    // A list is not the field of one thing.
    let single = || arguments.iter().copied().filter(|argument| argument.item().is_none() || argument.is_item);
    let all: Vec<String> = single().map(|argument| spelled(&argument.name)).collect();
    let is_longer = |long: &str, short: &str| long.strip_suffix(short).is_some_and(|head| head.ends_with('_'));
    let meant = nearest(name, all.iter().map(String::as_str))
        .or_else(|| all.iter().map(String::as_str).find(|known| is_longer(known, name) || is_longer(name, known)))?;
    single().find(|argument| spelled(&argument.name) == meant)
}

/// The value of a whole argument, which the body may need as well.
fn whole(argument: &Argument) -> String {
    let name = &argument.name;
    if argument.is_item {
        return format!("{name}.to_owned()");
    }
    match argument.whole.as_ref().map(bare) {
        Some(Type::Reference(reference)) => match last(&reference.elem) {
            Some(ty) if is_copied(ty) => format!("*{name}"),
            Some(ty) if ty != "str" => format!("{name}.clone()"),
            _ => format!("{name}.to_owned()"),
        },
        Some(ty) if last(ty).is_some_and(|ty| TEXTS.iter().any(|text| ty == text)) => format!("{name}.clone()"),
        _ => name.to_string(),
    }
}

fn kind_of(argument: &Argument, parameters: &[Ident]) -> Kind {
    let Some(ty) = &argument.whole else { return if argument.is_item { Kind::Parts } else { Kind::Neither } };
    let Some(name) = last(ty) else { return Kind::Neither };
    let ends = |endings: &[&str]| endings.iter().any(|ending| name.to_string().ends_with(ending));
    if is_plain(name) {
        Kind::Plain
    } else if CONTAINERS.iter().any(|container| name == container) || parameters.contains(name) || ends(&HANDLES) {
        Kind::Neither
    } else {
        Kind::Parts
    }
}

/// Whether the type has no fields.
fn is_plain(name: &Ident) -> bool {
    is_copied(name) || TEXTS.iter().any(|text| name == text)
}

/// Whether the type has no fields and is copied; so are most ids.
fn is_copied(name: &Ident) -> bool {
    COPIED.iter().any(|copied| name == copied) || name.to_string().ends_with("Id")
}

/// The name of a type, behind references and smart pointers.
fn last(ty: &Type) -> Option<&Ident> {
    match bare(ty) {
        Type::Reference(reference) => last(&reference.elem),
        Type::Path(path) => {
            let last_segment = path.path.segments.last()?;
            let is_pointer = ["Arc", "Rc", "Box"].iter().any(|pointer| last_segment.ident == pointer);
            if is_pointer { last(first_type_argument(last_segment)?) } else { Some(&last_segment.ident) }
        }
        _ => None,
    }
}

/// Whether `UserUpdated` is about `user`.
fn is_named_after(event: &Path, argument: &Ident) -> bool {
    let Some(event) = event.segments.last() else { return false };
    let argument = spelled(argument).replace('_', "").to_lowercase();
    spelled(&event.ident).to_lowercase().starts_with(&argument)
}
