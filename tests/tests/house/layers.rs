//! The files of the two crates depend on each other as the map in CONTRIBUTING.md says, and in no circle.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use syn::visit::Visit;
use syn::{ItemMod, ItemUse, UseTree};

/// A module's path inside its crate.
type Module = Vec<String>;

/// The modules of one crate, without its tests and models.
struct House {
    files: BTreeMap<Module, syn::File>,
    /// Re-exported names: the module and the name, and what they stand for.
    passed_on: BTreeMap<Module, Module>,
}

impl House {
    fn open(source: &Path) -> Self {
        let mut paths = Vec::new();
        find(source, &mut paths);
        let files = paths.into_iter().map(|path| {
            let text = fs::read_to_string(&path).expect("a file of the house");
            let inside = path.strip_prefix(source).expect("it was found there").with_extension("");
            let mut module: Module = inside.iter().map(|part| part.to_string_lossy().into_owned()).collect();
            module.pop_if(|last| last == "mod" || last == "lib");
            (module, syn::parse_file(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display())))
        });
        let files: BTreeMap<_, _> = files.collect();
        let mut passed_on = BTreeMap::new();
        for (module, file) in &files {
            for (is_public, path) in uses(file) {
                if is_public && let (Some(name), meant) = (path.last().cloned(), absolute(module, path)) {
                    passed_on.insert(module.iter().cloned().chain([name]).collect(), meant);
                }
            }
        }
        Self { files, passed_on }
    }

    /// The file that defines the item of this path.
    fn home(&self, mut path: Module) -> Option<Module> {
        while !self.files.contains_key(&path) {
            match self.passed_on.get(&path) {
                Some(meant) if *meant != path => return self.home(meant.clone()),
                _ => path.pop()?,
            };
        }
        (!path.is_empty()).then_some(path)
    }

    /// The modules whose names each file uses. A re-export is no need of its own.
    fn needs(&self) -> BTreeMap<Module, BTreeSet<Module>> {
        let of = |(module, file): (&Module, &syn::File)| {
            let taken = uses(file).into_iter().filter(|(is_public, _)| !is_public);
            let homes = taken.filter_map(|(_, path)| self.home_of_longest(absolute(module, path)));
            (module.clone(), homes.filter(|home| home != module).collect())
        };
        self.files.iter().map(of).collect()
    }

    /// Like [`home`](Self::home), for a path that may continue behind the name: a variant, or an associated function.
    fn home_of_longest(&self, path: Module) -> Option<Module> {
        let passed_on = (1..=path.len()).rev().find_map(|len| self.passed_on.get(&path[..len]).cloned());
        self.home(passed_on.unwrap_or(path))
    }
}

fn find(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("a folder of the house") {
        let path = entry.expect("an entry of that folder").path();
        let name = path.file_stem().expect("it has a name").to_string_lossy().into_owned();
        // Tests and models may look at everything, and so may the fuzzer.
        if matches!(&*name, "tests" | "model" | "fuzzing") && path.parent() != Some(Path::new("cached-macros/src")) {
            continue;
        }
        if path.is_dir() {
            find(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

/// The paths that a file names, and whether it re-exports them.
fn uses(file: &syn::File) -> Vec<(bool, Module)> {
    let mut named = NamedPaths::default();
    named.visit_file(file);
    named.0
}

#[derive(Default)]
struct NamedPaths(Vec<(bool, Module)>);

impl<'ast> Visit<'ast> for NamedPaths {
    fn visit_item_mod(&mut self, item: &'ast ItemMod) {
        if item.ident != "tests" {
            syn::visit::visit_item_mod(self, item);
        }
    }

    fn visit_item_use(&mut self, item: &'ast ItemUse) {
        let is_public = !matches!(item.vis, syn::Visibility::Inherited);
        let mut paths = Vec::new();
        flatten(&item.tree, &mut Vec::new(), &mut paths);
        self.0.extend(paths.into_iter().map(|path| (is_public, path)));
    }

    /// `pub(super)` uses no name.
    fn visit_vis_restricted(&mut self, _: &'ast syn::VisRestricted) {}

    fn visit_path(&mut self, path: &'ast syn::Path) {
        syn::visit::visit_path(self, path);
        if path.segments.first().is_some_and(|first| first.ident == "crate" || first.ident == "super") {
            self.0.push((false, path.segments.iter().map(|part| part.ident.to_string()).collect()));
        }
    }
}

fn flatten(tree: &UseTree, before: &mut Module, found: &mut Vec<Module>) {
    match tree {
        UseTree::Path(path) => {
            before.push(path.ident.to_string());
            flatten(&path.tree, before, found);
            before.pop();
        }
        UseTree::Name(name) if name.ident == "self" => found.push(before.clone()),
        UseTree::Name(name) => found.push(before.iter().cloned().chain([name.ident.to_string()]).collect()),
        UseTree::Rename(name) => found.push(before.iter().cloned().chain([name.ident.to_string()]).collect()),
        UseTree::Glob(_) => found.push(before.clone()),
        UseTree::Group(group) => group.items.iter().for_each(|tree| flatten(tree, before, found)),
    }
}

/// The path from the crate's root.
fn absolute(module: &Module, path: Module) -> Module {
    let ups = path.iter().take_while(|part| *part == "super").count();
    match path.first().map(String::as_str) {
        Some("crate") => path[1..].to_vec(),
        Some("self") => module.iter().cloned().chain(path[1..].iter().cloned()).collect(),
        Some("super") => {
            let above = &module[..module.len().saturating_sub(ups)];
            above.iter().cloned().chain(path[ups..].iter().cloned()).collect()
        }
        _ => module.iter().cloned().chain(path).collect(),
    }
}

/// Removes files that need none of the others, or that none of them needs, until none is left to remove. The remaining
/// files are in circles, or between two.
fn circles(mut needs: BTreeMap<Module, BTreeSet<Module>>) -> BTreeMap<Module, BTreeSet<Module>> {
    loop {
        let needed: BTreeSet<Module> = needs.values().flatten().cloned().collect();
        let is_free = |(module, of): &(&Module, &BTreeSet<Module>)| of.is_empty() || !needed.contains(*module);
        let free: Vec<Module> = needs.iter().filter(is_free).map(|(module, _)| module.clone()).collect();
        if free.is_empty() {
            return needs;
        }
        needs.retain(|module, _| !free.contains(module));
        for of in needs.values_mut() {
            of.retain(|module| !free.contains(module));
        }
    }
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the workspace").to_owned()
}

#[test]
fn no_files_need_each_other_in_a_circle() {
    for name in ["cached-core/src", "cached-macros/src"] {
        let needs = House::open(&root().join(name)).needs();
        assert!(needs.values().any(|of| of.len() > 3), "{name}: the imports are seen");
        let circles = circles(needs);
        assert!(circles.is_empty(), "{name}: {circles:#?}");
    }
}

#[test]
fn a_circle_would_be_found() {
    let module = |name: &str| vec![name.to_owned()];
    let needs = |of: &[(&str, &[&str])]| {
        of.iter().map(|(name, of)| (module(name), of.iter().map(|name| module(name)).collect())).collect()
    };
    assert!(circles(needs(&[("a", &["b"]), ("b", &["c"]), ("c", &[])])).is_empty());
    assert_eq!(circles(needs(&[("a", &["b"]), ("b", &["c"]), ("c", &["b"]), ("d", &[])])).len(), 2);
}

/// The rows of the map, from the bottom up: the modules of each layer.
fn layers() -> Vec<Vec<Module>> {
    let text = fs::read_to_string(root().join("CONTRIBUTING.md")).expect("the map");
    let (_, from) = text.split_once("<!-- layers of cached-core -->").expect("the map begins");
    let (map, _) = from.split_once("<!-- end -->").expect("the map ends");
    let rows = map.lines().filter_map(|line| line.strip_prefix("| ")?.split_once(" |")).map(|(names, _)| names);
    let names = |row: &str| {
        let names = row.split('`').skip(1).step_by(2);
        names.map(|name| name.trim_end_matches('/').split('/').map(str::to_owned).collect()).collect::<Vec<Module>>()
    };
    rows.skip(1).map(names).filter(|names| !names.is_empty()).collect()
}

#[test]
fn lower_layers_never_name_higher_ones() {
    let house = House::open(&root().join("cached-core/src"));
    let layers = layers();
    // The longest name that fits, because `engine/site` has a layer of its own.
    let layer = |module: &Module| {
        let fits = |name: &&Module| module.starts_with(name);
        let all = layers.iter().enumerate().flat_map(|(at, names)| names.iter().map(move |name| (name, at)));
        all.filter(|(name, _)| fits(name)).max_by_key(|(name, _)| name.len()).map(|(_, at)| at)
    };
    let mut wrong = Vec::new();
    for (module, needs) in house.needs() {
        if module.is_empty() {
            continue;
        }
        let Some(here) = layer(&module) else {
            wrong.push(format!("{} stands in no layer", module.join("/")));
            continue;
        };
        let higher = needs.iter().filter(|of| layer(of).is_some_and(|there| there > here));
        wrong.extend(higher.map(|of| format!("{} names {}", module.join("/"), of.join("/"))));
    }
    for name in layers.iter().flatten() {
        if !house.files.keys().any(|module| module.starts_with(name)) {
            wrong.push(format!("{} is in the map and not in the house", name.join("/")));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// Only whether the files are there; whether they are the right ones a reader has to say.
#[test]
fn the_files_named_for_behaviours_exist() {
    let text = fs::read_to_string(root().join("CONTRIBUTING.md")).expect("the map");
    let (_, table) = text.split_once("## Where a behaviour stands").expect("the table begins");
    let rows: Vec<_> =
        table.lines().skip_while(|line| !line.starts_with('|')).take_while(|line| line.starts_with('|')).collect();
    let files =
        rows.iter().filter_map(|row| row.rsplit_once(" | ")).flat_map(|(_, files)| files.split('`').skip(1).step_by(2));
    let files: Vec<_> = files.filter(|name| name.contains('/') || name.contains('.')).collect();
    assert!(files.len() >= 24, "the table was read: {files:?}");
    let source = root().join("cached-core/src");
    let missing: Vec<_> = files.into_iter().filter(|file| !source.join(file).exists()).collect();
    assert!(missing.is_empty(), "CONTRIBUTING.md names files that are not there: {missing:?}");
}
