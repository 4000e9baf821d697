//! The command line.

use crate::cases::Case;
use crate::scale::Scale;
use std::path::PathBuf;
use std::time::Duration;

pub(crate) const USAGE: &str = "\
usage: cargo run --release --manifest-path benches/Cargo.toml -- [OPTION]... CASE...

cases:
  hit-sequential  one task, one call after another
  hit-64          64 tasks over 1,000 keys
  hit-256         256 tasks over 1,000 keys
  hit-hot         64 tasks on one key
  hit-tags        one task, entries with two tags; the floor is ours without tags
  hit-64-tags     the same, 64 tasks
  near-hit        one task, values kept in this process; the floor is the bare engine
  near-hit-2      the same, two tasks on two threads
  wake-up         a call that waits for the load of another process
  batch-100       100 ids in one call, and in 100 calls
  invalidation    a tag of 1, 1,000 and 100,000 entries is invalidated
  cold-fill       64 tasks fill cold keys
  stampede        1,000 callers of one cold key whose load takes 50 ms
  redis-hung      a server that has stopped answering, and a load of 1 ms
  allocations     allocations per hit
  future-size     the future of a function that holds 4 KiB across an await
  entry-bytes     the size of an entry in Redis
  compile-time    a crate of 200 functions (the first time, its dependencies are built)
  all             all of them

options:
  --rounds N      rounds of every case (default: 7; 3 of cold-fill and redis-hung, 5 of compile-time)
  --seconds S     time of each subject in each round of the hit cases (default: 0.5)
  --keys N        keys of cold-fill, per round and subject (default: 100000)
  --smoke         every case but compile-time, as short as can be; fails if a figure is missing
  --from FILE     begin with the figures that an earlier run printed
  --table         print the table of all figures at the end
  --write-table   put it into benches/README.md

Prints one JSON object per figure on stdout, progress on stderr.
Exit codes: 1 a figure is missing, 2 usage, 3 no server to measure against.
";

#[derive(Debug)]
pub(crate) struct Options {
    pub(crate) cases: Vec<Case>,
    pub(crate) scale: Scale,
    pub(crate) smoke: bool,
    pub(crate) table: bool,
    pub(crate) write_table: bool,
    pub(crate) from: Option<PathBuf>,
}

impl Options {
    /// `None`: print the usage.
    pub(crate) fn parse(arguments: impl IntoIterator<Item = String>) -> Option<Self> {
        let mut arguments = arguments.into_iter();
        let (mut cases, mut from) = (Vec::new(), None);
        let (mut smoke, mut table, mut write_table) = (false, false, false);
        let (mut rounds, mut time, mut keys) = (None, None, None);
        while let Some(argument) = arguments.next() {
            match argument.as_str() {
                "--smoke" => smoke = true,
                "--table" => table = true,
                "--write-table" => write_table = true,
                "--from" => from = Some(PathBuf::from(arguments.next()?)),
                "--rounds" => rounds = Some(arguments.next()?.parse().ok().filter(|rounds| *rounds > 0)?),
                "--seconds" => time = Some(seconds(&arguments.next()?)?),
                "--keys" => keys = Some(arguments.next()?.parse().ok().filter(|keys| *keys > 0)?),
                "all" => cases.extend(Case::ALL),
                name => cases.push(Case::named(name)?),
            }
        }
        let mut scale = if smoke { Scale::SMOKE } else { Scale::FULL };
        scale.rounds = rounds.or(scale.rounds);
        scale.time = time.unwrap_or(scale.time);
        scale.fill_keys = keys.unwrap_or(scale.fill_keys);
        if smoke && cases.is_empty() {
            cases.extend(Case::ALL.into_iter().filter(|case| *case != Case::CompileTime));
        }
        let has_something_to_do = !cases.is_empty() || from.is_some();
        has_something_to_do.then_some(Self { cases, scale, smoke, table, write_table, from })
    }
}

fn seconds(text: &str) -> Option<Duration> {
    let seconds = Duration::try_from_secs_f64(text.parse().ok()?).ok()?;
    (!seconds.is_zero()).then_some(seconds)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Option<Options> {
        Options::parse(line.split_whitespace().map(str::to_owned))
    }

    #[test]
    fn what_cannot_be_understood_prints_the_usage() {
        for line in ["", "--help", "hit-65", "--rounds", "--rounds 0 all", "--seconds -1 all", "--keys x all"] {
            assert!(parse(line).is_none(), "{line}");
        }
    }

    #[test]
    fn options_change_the_scale() {
        let options = parse("hit-64 --rounds 9 --seconds 0.25 --keys 10 --table").unwrap();
        assert_eq!((options.scale.rounds_or(7), options.scale.fill_keys), (9, 10));
        assert_eq!(options.scale.time, Duration::from_millis(250));
        assert!(options.table && !options.write_table);
    }

    #[test]
    fn smoke_leaves_out_what_takes_long() {
        let options = parse("--smoke").unwrap();
        assert_eq!(options.cases.len(), Case::ALL.len() - 1);
        assert!(!options.cases.contains(&Case::CompileTime));
    }

    #[test]
    fn the_usage_names_every_case() {
        for case in Case::ALL {
            assert!(USAGE.contains(&format!("\n  {} ", case.name())), "{}", case.name());
        }
    }
}
