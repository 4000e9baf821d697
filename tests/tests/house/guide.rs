//! The guide is complete and true: every option stands in its reference, every figure is that of the benchmarks, every
//! page is linked, and every sample compiles.
//!
//! The two tables are made from the macros' own table of options and from the table of the benchmarks. After a change of
//! either: `GUIDE=overwrite cargo test -p tests --test house guide`. Meanings and defaults of options are written by
//! hand, in a row of the option's name.
#![expect(clippy::unwrap_used, reason = "in a test, a panic is the report")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use syn::{Expr, ImplItem, Item, Lit};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap()
}

/// The pages by name.
fn pages() -> BTreeMap<String, String> {
    let folder = fs::read_dir(root().join("cached-core/guide")).unwrap();
    let page =
        |path: PathBuf| (path.file_stem().unwrap().to_string_lossy().into_owned(), fs::read_to_string(&path).unwrap());
    folder.map(|entry| page(entry.unwrap().path())).collect()
}

/// The text between a mark and the end mark after it.
fn between<'a>(text: &'a str, mark: &str, end: &str) -> &'a str {
    let (_, from) = text.split_once(mark).unwrap_or_else(|| panic!("there is no `{mark}`"));
    from.split_once(end).unwrap_or_else(|| panic!("`{mark}` has no `{end}`")).0
}

/// The rows of a table, without its head. A `|` inside of a cell is escaped.
fn rows(table: &str) -> Vec<Vec<String>> {
    let cells = |line: &str| {
        let line = line.trim().trim_matches('|').replace("\\|", "\u{0}");
        line.split('|').map(|cell| cell.trim().replace('\u{0}', "\\|")).collect()
    };
    table.lines().filter(|line| line.starts_with('|')).skip(2).map(cells).collect()
}

/// Compares the rows of a page's table with what they must be, or writes them.
fn check(page: &str, mark: &str, wanted: &[Vec<String>]) {
    let path = format!("cached-core/guide/{page}.md");
    let text = read(&path);
    let table = between(&text, mark, "<!-- end -->");
    let (head, _) = table.split_once("|--").unwrap();
    let rule = table.lines().find(|line| line.starts_with("|--")).unwrap();
    let lines: Vec<_> = wanted.iter().map(|row| format!("| {} |", row.join(" | "))).collect();
    let made = format!("{head}{rule}\n{}\n", lines.join("\n"));
    if made == table {
        return;
    }
    assert_eq!(
        std::env::var("GUIDE").as_deref(),
        Ok("overwrite"),
        "{path} is not true any more; `GUIDE=overwrite cargo test -p tests --test house guide` mends it:\n{made}"
    );
    fs::write(root().join(&path), text.replace(table, &made)).unwrap();
}

/// An option of the macros: its name, an example, and the attributes that have it.
fn options() -> Vec<(String, String, Vec<String>)> {
    let file = syn::parse_file(&read("cached-macros/src/parse/known.rs")).unwrap();
    let table = file.items.iter().find_map(|item| match item {
        Item::Const(item) if item.ident == "OPTIONS" => Some(&item.expr),
        _ => None,
    });
    let Some(Expr::Array(table)) = table.map(|table| &**table) else { panic!("the macros have no table of options") };
    let text = |expr: &Expr| match expr {
        Expr::Lit(literal) => match &literal.lit {
            Lit::Str(text) => text.value(),
            _ => panic!("a text"),
        },
        _ => panic!("a literal"),
    };
    let role = |expr: &Expr| match expr {
        Expr::Path(path) => path.path.segments.last().unwrap().ident.to_string().to_lowercase(),
        _ => panic!("a role"),
    };
    let option = |row: &Expr| {
        let Expr::Tuple(row) = row else { panic!("a row") };
        let Expr::Reference(roles) = &row.elems[2] else { panic!("a list of roles") };
        let Expr::Array(roles) = &*roles.expr else { panic!("a list of roles") };
        (text(&row.elems[0]), text(&row.elems[1]), roles.elems.iter().map(role).collect::<Vec<_>>())
    };
    table.elems.iter().map(option).filter(|(.., roles)| !roles.is_empty()).collect()
}

#[test]
fn every_option_of_the_macros_stands_in_the_reference() {
    let page = read("cached-core/guide/attribute.md");
    let written: BTreeMap<String, Vec<String>> = rows(between(&page, "<!-- options -->", "<!-- end -->"))
        .into_iter()
        .map(|row| (row[0].trim_matches('`').to_owned(), row))
        .collect();
    let options = options();
    assert!(options.len() > 20, "{options:?}");
    let known: BTreeSet<_> = options.iter().map(|(name, ..)| name).collect();
    let gone: Vec<_> = written.keys().filter(|name| !known.contains(name)).collect();
    assert!(gone.is_empty(), "cached-core/guide/attribute.md has options that no attribute has: {gone:?}");
    let row = |(name, example, roles): &(String, String, Vec<String>)| {
        let by_hand = written.get(name).map(|row| [row[3].clone(), row[4].clone()]);
        let Some([meaning, default]) = by_hand.filter(|cells| cells.iter().all(|cell| !cell.is_empty())) else {
            panic!(
                "cached-core/guide/attribute.md does not say what `{name}` means: add the row\n| `{name}` |  |  | what \
                 it does | its default |\nand its page of the guide, and fill in the rest by `GUIDE=overwrite`"
            )
        };
        vec![format!("`{name}`"), format!("`{}`", example.replace('|', "\\|")), roles.join(", "), meaning, default]
    };
    check("attribute", "<!-- options -->\n", &options.iter().map(row).collect::<Vec<_>>());
}

#[test]
fn every_figure_is_that_of_the_benchmarks() {
    let benches = read("benches/README.md");
    let figures: BTreeMap<String, Vec<String>> = rows(between(&benches, "<!-- figures -->", "<!-- /figures -->"))
        .into_iter()
        .map(|row| (format!("{}, {}", row[0], row[1]), row))
        .collect();
    assert!(figures.len() > 20, "{figures:?}");
    let page = read("cached-core/guide/costs.md");
    let row = |row: Vec<String>| {
        let figure = figures.get(&row[1]).unwrap_or_else(|| panic!("the benchmarks have no case `{}`", row[1]));
        // Ours is the column after the target, and by hand the next.
        let (ours, ratio) = figure[4].split_once(" (").unwrap_or((&figure[4], ""));
        vec![row[0].clone(), row[1].clone(), ours.into(), figure[5].clone(), ratio.trim_end_matches(')').into()]
    };
    let wanted: Vec<_> = rows(between(&page, "<!-- figures -->", "<!-- end -->")).into_iter().map(row).collect();
    check("costs", "<!-- figures -->\n", &wanted);
}

#[test]
fn every_setting_of_the_builder_stands_in_the_guide() {
    let file = syn::parse_file(&read("cached-core/src/cache/builder/mod.rs")).unwrap();
    let methods = file.items.iter().filter_map(|item| match item {
        Item::Impl(block) if block.trait_.is_none() => Some(&block.items),
        _ => None,
    });
    let settings = methods.flatten().filter_map(|item| match item {
        ImplItem::Fn(method) if matches!(method.vis, syn::Visibility::Public(_)) => Some(method.sig.ident.to_string()),
        _ => None,
    });
    let settings: Vec<_> = settings.collect();
    assert!(settings.len() > 15, "{settings:?}");
    let guide: String = pages().into_values().collect();
    let missing: Vec<_> = settings
        .iter()
        .filter(|name| !guide.contains(&format!("CacheBuilder::{name})")) && !guide.contains(&format!(".{name}(")))
        .collect();
    assert!(missing.is_empty(), "no page of cached-core/guide says what these settings do: {missing:?}");
}

#[test]
fn every_page_is_a_module_and_linked() {
    let names: BTreeSet<String> = pages().into_keys().collect();
    let modules = read("cached-core/src/guide.rs");
    let readme = read("README.md");
    let address = "https://docs.rs/cached-core/latest/cached_core/guide/";
    let linked: BTreeSet<String> = readme
        .match_indices(address)
        .map(|(at, _)| readme[at + address.len()..].split('/').next().unwrap().into())
        .collect();
    assert_eq!(linked, names, "README.md links to these pages, and these are in cached-core/guide");
    for name in &names {
        let module = format!("#[doc = include_str!(\"../guide/{name}.md\")]\npub mod {name} {{}}\n");
        assert!(modules.contains(&module), "cached-core/src/guide.rs lacks:\n{module}");
        assert!(
            modules.contains(&format!("//! | [`{name}`] | ")),
            "the table of cached-core/src/guide.rs lacks {name}"
        );
    }
}

#[test]
fn every_sample_compiles_and_every_page_begins_with_its_problem() {
    for (name, page) in pages() {
        assert!(!page.starts_with(['#', '`', '|']), "{name}: a page begins with a sentence that says what it is about");
        let mut fences = page.lines().filter_map(|line| line.strip_prefix("```"));
        let mut samples = 0;
        while let Some(kind) = fences.next() {
            let is_rust = matches!(kind, "" | "no_run" | "standalone_crate");
            assert!(is_rust || matches!(kind, "text" | "sh"), "{name}: a sample of kind {kind:?} is not compiled");
            samples += usize::from(is_rust);
            assert_eq!(fences.next(), Some(""), "{name}: a sample has no end");
        }
        assert!(samples > 0, "{name}: a page shows the smallest sample that works");
    }
}
