//! The project's own list of breaks: subtle faults, put into the code one at a time, that a test must notice.
//!
//! Each break quotes the exact text that it replaces, so the list stays honest while the code moves: a text that does
//! not stand there exactly once is an error, not a skipped break.

use serde::Deserialize;
use std::collections::BTreeMap;
use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};

/// One fault.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Break {
    /// Its name; the break can be run alone by it.
    pub name: String,
    /// The file that it changes, from the root of the repository.
    pub file: PathBuf,
    /// The text that it replaces.
    pub find: String,
    /// The text that it puts there.
    pub put: String,
    /// The harm that a user would see.
    pub harm: String,
    /// The arguments of `cargo test` that run the tests which notice it.
    pub red: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct BreakFile {
    #[serde(rename = "break")]
    breaks: Vec<Break>,
}

impl Break {
    /// All breaks of the files `tests/breaks/*.toml`, by the file's name.
    ///
    /// # Errors
    /// If a file cannot be read or parsed.
    pub fn all(root: &Path) -> Result<BTreeMap<String, Vec<Self>>, Box<dyn Error>> {
        let mut all = BTreeMap::new();
        for file in fs::read_dir(root.join("tests/breaks"))? {
            let path = file?.path();
            let Some(kind) = path.file_stem().filter(|_| path.extension().is_some_and(|end| end == "toml")) else {
                continue;
            };
            let BreakFile { breaks } =
                toml::from_str(&fs::read_to_string(&path)?).map_err(|error| format!("{}: {error}", path.display()))?;
            all.insert(kind.to_string_lossy().into_owned(), breaks.into_iter().map(Self::trimmed).collect());
        }
        Ok(all)
    }

    /// Without the end of the last line, which a literal of several lines has.
    fn trimmed(self) -> Self {
        let trim = |text: String| text.strip_suffix('\n').map(str::to_owned).unwrap_or(text);
        Self { find: trim(self.find), put: trim(self.put), ..self }
    }

    /// How often its text stands in the code that it breaks.
    #[must_use]
    pub fn places(&self, code: &str) -> usize {
        code.matches(&self.find).count()
    }

    /// The code with the break in it; `None` if its text does not stand there exactly once.
    #[must_use]
    pub fn broken(&self, code: &str) -> Option<String> {
        (self.places(code) == 1).then(|| code.replacen(&self.find, &self.put, 1))
    }
}
