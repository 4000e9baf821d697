//! Every message of the macros is in a `.stderr` file, so that somebody has read it as users see it.
#![expect(clippy::unwrap_used, reason = "in a test, a panic is the report")]

use proc_macro2::{TokenStream, TokenTree};
use std::fs;
use std::path::{Path, PathBuf};

/// Messages without a case: no input from rustc leads to them.
const NEVER_SEEN: [&str; 3] = [
    // rustc's own parser reports it first.
    "expected the body of the function",
    // Messages of syn that ours replace.
    "comparison operators cannot be chained",
    "expected identifier or integer",
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

/// The texts in code that have at least three words, as messages have. Doc comments are left out.
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

/// The longest part of a format string that every message made from it contains.
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
    let shown: String =
        files(&root.join("tests/fail"), "stderr").iter().map(|path| fs::read_to_string(path).unwrap()).collect();
    let mut unshown = Vec::new();
    let mut count = 0;
    for path in files(&root.join("../cached-macros/src"), "rs") {
        if path.components().any(|part| part.as_os_str() == "tests") {
            continue;
        }
        let mut found = Vec::new();
        sentences(fs::read_to_string(&path).unwrap().parse().unwrap(), &mut found);
        count += found.len();
        unshown.extend(
            found
                .into_iter()
                .filter(|text| !NEVER_SEEN.contains(&text.as_str()) && !shown.contains(fixed_part(text).trim()))
                .map(|text| format!("{}: {text}", path.file_name().unwrap().display())),
        );
    }
    assert!(count > 60, "only {count} messages were found");
    assert!(unshown.is_empty(), "no case under tests/fail for\n{}", unshown.join("\n"));
}

/// What cargo prints for the case in a user's own project.
fn as_cargo_prints(case: &Path) -> String {
    let stem = case.file_stem().unwrap().display().to_string();
    let shown = fs::read_to_string(case).unwrap();
    let shown = shown.replace(&format!("tests/fail/newcomer/{stem}.rs"), "src/main.rs").replace("$WORKSPACE", "..");
    let code = shown.strip_prefix("error[").and_then(|rest| rest.split_once(']')).map(|(code, _)| code);
    let explain = code.map(|code| format!("For more information about this error, try `rustc --explain {code}`.\n"));
    let explain = explain.unwrap_or_default();
    let shown = shown.trim_end();
    format!("{shown}\n\n{explain}error: could not compile `app` (bin \"app\") due to 1 previous error\n")
}

/// What a user writes after the advice of a message. The part that shows that it works is hidden in the guide.
fn as_the_guide_shows(mended: &str) -> String {
    let (shown, hidden) = mended.split_once("#[tokio::main").unwrap();
    let hidden = format!("#[tokio::main{hidden}");
    let hidden: Vec<_> = hidden.lines().map(|line| format!("# {line}").trim_end().to_owned()).collect();
    format!("{}\n{}\n", shown.trim_end(), hidden.join("\n"))
}

/// The guide shows the commonest mistakes, their messages and what they say to write. `TRYBUILD=overwrite` writes them
/// there. `ui.rs` checks the messages, and that the mended programs compile and have a hit.
#[test]
fn the_guide_shows_what_newcomers_see() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let guide = root.join("../cached-core/guide/mistakes.md");
    let mut text = fs::read_to_string(&guide).unwrap();
    let cases = files(&root.join("tests/fail/newcomer"), "stderr");
    assert_eq!(cases.len(), 10);
    let mut show = |name: &str, kind: &str, content: &str| {
        let opening = format!("<!-- {name} -->\n```{kind}\n");
        let start = text.find(&opening).unwrap_or_else(|| panic!("mistakes.md has no {opening}")) + opening.len();
        let length = text[start..].find("```").unwrap();
        text.replace_range(start..start + length, content);
    };
    for case in &cases {
        let name = case.file_stem().unwrap().display().to_string();
        let mended = fs::read_to_string(root.join(format!("tests/mended/{name}.rs"))).unwrap();
        show(&name, "text", &as_cargo_prints(case));
        show(&format!("{name}, mended"), "", &as_the_guide_shows(&mended));
    }
    if std::env::var_os("TRYBUILD").is_some_and(|value| value == "overwrite") {
        fs::write(&guide, &text).unwrap();
    }
    assert!(text == fs::read_to_string(&guide).unwrap(), "the guide is behind: run with TRYBUILD=overwrite");
    assert_eq!(files(&root.join("tests/mended"), "rs").len(), cases.len(), "a program without its mistake");
}

#[test]
fn the_table_of_cases_names_files_that_exist() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let table = fs::read_to_string(root.join("README.md")).unwrap();
    let named = table.split('`').filter(|text| {
        let extension = Path::new(text).extension();
        extension.is_some_and(|extension| extension == "rs") && text.contains('/')
    });
    let mut count = 0;
    for name in named {
        count += 1;
        let exists = [root.join("tests").join(name), root.join("..").join(name), root.join(name)];
        assert!(exists.iter().any(|path| path.exists()), "{name}");
    }
    assert!(count > 60, "only {count} files are named");
}
