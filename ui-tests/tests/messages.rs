//! Every message that the macros can give is in a `.stderr` file: what users are told is what somebody has read.
#![expect(clippy::unwrap_used, reason = "in a test, a panic is the report")]

use proc_macro2::{TokenStream, TokenTree};
use std::fs;
use std::path::{Path, PathBuf};

/// Said for completeness: nothing that rustc hands over leads there.
const NEVER_SEEN: [&str; 2] = [
    // rustc's own parser reports it first.
    "expected the body of the function",
    // What begins without a digit is read as a class.
    "not a duration; write for example `90s`, `5m` or `1h30m`",
];

/// Files with this ending below a folder.
fn files(folder: &Path, ending: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path, ending));
        } else if path.extension().is_some_and(|extension| extension == ending) {
            found.push(path);
        }
    }
    found.sort();
    found
}

/// The texts in code, those of doc comments and of tables of examples left out: a message is a sentence.
fn sentences(tokens: TokenStream, out: &mut Vec<String>) {
    let mut documents = false;
    for token in tokens {
        match token {
            TokenTree::Group(group) if !documents => sentences(group.stream(), out),
            // `#[doc = ".."]`, `#![doc = ".."]`
            TokenTree::Group(_) => documents = false,
            TokenTree::Punct(punct) => documents = punct.as_char() == '#' || documents && punct.as_char() == '!',
            TokenTree::Literal(literal) => {
                if let Ok(text) = syn::parse_str::<syn::LitStr>(&literal.to_string()) {
                    let text = text.value();
                    out.extend((text.split_whitespace().count() >= 3).then_some(text));
                }
            }
            TokenTree::Ident(_) => {}
        }
    }
}

/// The longest part of a format string that stands in every message made from it.
fn fixed_part(format: &str) -> String {
    let format = format.replace("{{", "\0").replace("}}", "\u{1}");
    let mut parts = Vec::new();
    for (index, part) in format.split('{').enumerate() {
        let fixed = if index == 0 { part } else { part.split_once('}').map_or(part, |(_, fixed)| fixed) };
        parts.push(fixed.replace('\0', "{").replace('\u{1}', "}"));
    }
    parts.into_iter().max_by_key(String::len).unwrap_or_default()
}

#[test]
fn every_message_has_a_case() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let told: String =
        files(&root.join("tests/fail"), "stderr").iter().map(|path| fs::read_to_string(path).unwrap()).collect();
    let mut untold = Vec::new();
    let mut count = 0;
    for path in files(&root.join("../cached-macros/src"), "rs") {
        if path.components().any(|part| part.as_os_str() == "tests") {
            continue;
        }
        let mut found = Vec::new();
        sentences(fs::read_to_string(&path).unwrap().parse().unwrap(), &mut found);
        count += found.len();
        untold.extend(
            found
                .into_iter()
                .filter(|text| !NEVER_SEEN.contains(&text.as_str()) && !told.contains(fixed_part(text).trim()))
                .map(|text| format!("{}: {text}", path.file_name().unwrap().display())),
        );
    }
    assert!(count > 60, "only {count} messages were found");
    assert!(untold.is_empty(), "no case under tests/fail for\n{}", untold.join("\n"));
}
