//! What is published stands alone: each package holds the licences, the changelog and a README of its own. Packages cannot
//! reach out of their folder, and links are plain text files on some systems, so these are copies. After a change:
//! `COPIES=overwrite cargo test -p tests --test house packages`.
#![expect(clippy::unwrap_used, reason = "in a test, a panic is the report")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

const PUBLISHED: [&str; 2] = ["cached-core", "cached-macros"];
/// The original, which is the one to edit, and its copy.
const COPIES: [(&str, &str); 7] = [
    ("README.md", "cached-core/README.md"),
    ("CHANGELOG.md", "cached-core/CHANGELOG.md"),
    ("CHANGELOG.md", "cached-macros/CHANGELOG.md"),
    ("LICENSE-APACHE", "cached-core/LICENSE-APACHE"),
    ("LICENSE-APACHE", "cached-macros/LICENSE-APACHE"),
    ("LICENSE-MIT", "cached-core/LICENSE-MIT"),
    ("LICENSE-MIT", "cached-macros/LICENSE-MIT"),
];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// The files that `cargo package` would put into a package.
fn files_of(package: &str) -> Vec<String> {
    let output = Command::new(env!("CARGO"))
        // Offline, since the list needs no registry; dirty, since tests run before a commit too.
        .args(["package", "--list", "--locked", "--offline", "--allow-dirty", "-p", package])
        .current_dir(root())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().lines().map(|line| line.replace('\\', "/")).collect()
}

#[test]
fn copies_are_equal_to_their_originals() {
    let overwrite = std::env::var_os("COPIES").is_some_and(|value| value == "overwrite");
    let mut different = Vec::new();
    for (original, copy) in COPIES {
        let text = fs::read(root().join(original)).unwrap();
        if overwrite {
            fs::write(root().join(copy), &text).unwrap();
        }
        if fs::read(root().join(copy)).ok().as_ref() != Some(&text) {
            different.push(format!("{copy} differs from {original}"));
        }
    }
    assert!(
        different.is_empty(),
        "{}\nEdit the original, then: COPIES=overwrite cargo test -p tests --test house packages",
        different.join("\n")
    );
}

#[test]
fn a_package_holds_its_readme_its_changelog_and_both_licences_and_nothing_of_the_project() {
    for package in PUBLISHED {
        let files = files_of(package);
        for needed in ["README.md", "CHANGELOG.md", "LICENSE-APACHE", "LICENSE-MIT", "src/lib.rs"] {
            assert!(files.iter().any(|file| file == needed), "{package} lacks {needed}: {files:#?}");
        }
        assert!(!files.iter().any(|file| file == "public-api.txt"), "{package}: {files:#?}");
    }
}

/// Reading a file outside of the package works here and fails for everybody who depends on it.
#[test]
fn no_source_of_a_package_includes_a_file_that_the_package_lacks() {
    for package in PUBLISHED {
        let (folder, files) = (root().join(package), files_of(package));
        let mut included = 0;
        for file in files.iter().filter(|file| Path::new(file).extension().is_some_and(|end| end == "rs")) {
            let text = fs::read_to_string(folder.join(file)).unwrap();
            for (at, _) in text.match_indices("include_str!(\"") {
                let path = text[at..].split('"').nth(1).unwrap();
                let target = resolved(Path::new(file).parent().unwrap(), path);
                assert!(files.contains(&target), "{package}/{file} includes {path}, which is not in the package");
                included += 1;
            }
        }
        assert!(included > 1 || package == "cached-macros", "the sources of {package} were not read");
    }
}

/// `src` and `../README.md` are `README.md`; what leads out of the package keeps its `..`.
fn resolved(folder: &Path, path: &str) -> String {
    let mut parts: Vec<&str> = folder.iter().map(|part| part.to_str().unwrap()).collect();
    for part in path.split('/') {
        match (part, parts.last()) {
            ("..", Some(last)) if *last != ".." => drop(parts.pop()),
            _ => parts.push(part),
        }
    }
    parts.join("/")
}

#[test]
fn a_path_that_leads_out_of_the_package_is_seen() {
    assert_eq!(resolved(Path::new("src"), "../README.md"), "README.md");
    assert_eq!(resolved(Path::new("src"), "../../README.md"), "../README.md");
    assert_eq!(resolved(Path::new("src/store"), "scripts/put.lua"), "src/store/scripts/put.lua");
}
