//! Applies the breaks of `tests/breaks` to a copy of the tree, one at a time, and checks that the tests that each names
//! go red.

mod copy;
mod run;

use copy::{Copy, Unfit};
use run::BreakRun;
use std::error::Error;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Mutex;
use std::time::Instant;
use tests::Break;

const HELP: &str = "\
breaks [--list] [--jobs N] [--dir PATH] [NAME ..]

Puts each break of tests/breaks/*.toml into a copy of the tree and runs the tests that it names: they must go red. A NAME is that
of a break, or of a file of them; without any, all are run.

RED               a test has noticed it
SURVIVED          no test has: write one
STALE             its text does not stand in its file exactly once: the code has moved on
DOES NOT COMPILE  it is no break as it stands
RED BEFORE        the tests that it names fail without it as well
NO TEST           there is none of that name

--list  prints the names, and what a user would see
--jobs  copies that are worked on side by side (1)
--dir   where the copies and what is built of them are kept (target/breaks)

Exit code: 0 if all are RED, else 1.
";

#[derive(Debug, PartialEq, Eq)]
enum Task {
    Help,
    List(Vec<String>),
    Run { names: Vec<String>, jobs: usize, dir: PathBuf },
}

fn parse(mut arguments: impl Iterator<Item = String>) -> Result<Task, String> {
    let (mut names, mut jobs, mut dir, mut lists) = (Vec::new(), 1, root().join("target/breaks"), false);
    while let Some(argument) = arguments.next() {
        let mut value = || arguments.next().ok_or_else(|| format!("{argument} needs a value"));
        match argument.as_str() {
            "--help" | "-h" => return Ok(Task::Help),
            "--list" => lists = true,
            "--jobs" => jobs = value()?.parse().ok().filter(|jobs| *jobs > 0).ok_or("--jobs needs a number above 0")?,
            "--dir" => dir = value()?.into(),
            option if option.starts_with('-') => return Err(format!("unknown option {option}; see --help")),
            _ => names.push(argument),
        }
    }
    Ok(if lists { Task::List(names) } else { Task::Run { names, jobs, dir } })
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().map_or_else(PathBuf::new, Path::to_path_buf)
}

/// The breaks with these names, or all of them, in the order of their files.
fn chosen(names: &[String]) -> Result<Vec<Break>, Box<dyn Error>> {
    let all = Break::all(&root())?;
    if names.is_empty() {
        return Ok(all.into_values().flatten().collect());
    }
    let mut chosen = Vec::new();
    for name in names {
        match all.get(name) {
            Some(breaks) => chosen.extend(breaks.iter().cloned()),
            None => chosen.push(
                all.values()
                    .flatten()
                    .find(|one| one.name == *name)
                    .ok_or(format!("no break is called {name}"))?
                    .clone(),
            ),
        }
    }
    Ok(chosen)
}

fn main() -> Result<ExitCode, Box<dyn Error>> {
    match parse(std::env::args().skip(1))? {
        Task::Help => print!("{HELP}"),
        Task::List(names) => {
            for Break { name, file, harm, .. } in chosen(&names)? {
                println!("{name}\n    {}\n    {harm}", file.display());
            }
        }
        Task::Run { names, jobs, dir } => return run_all(chosen(&names)?, jobs, &dir),
    }
    Ok(ExitCode::SUCCESS)
}

fn run_all(breaks: Vec<Break>, jobs: usize, dir: &Path) -> Result<ExitCode, Box<dyn Error>> {
    let count = breaks.len();
    let unfit = Copy::of(&root(), &dir.join("0"))?.unfit(&breaks)?;
    let (waiting, runs) = (Mutex::new(breaks.into_iter()), Mutex::new(Vec::with_capacity(count)));
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..jobs.min(count))
            .map(|number| {
                let (waiting, runs, unfit) = (&waiting, &runs, &unfit);
                scope.spawn(move || work(number, dir, unfit, waiting, runs).map_err(|error| error.to_string()))
            })
            .collect();
        workers.into_iter().try_for_each(|worker| worker.join().map_err(|_| "a worker has panicked".to_owned())?)
    })?;
    let runs = runs.into_inner()?;
    let not_red: Vec<_> = runs.iter().filter(|run| !run.verdict.is_red()).collect();
    println!("\nbreaks={count} red={} not_red={}", count - not_red.len(), not_red.len());
    for BreakRun { name, verdict, .. } in &not_red {
        println!("{verdict}: {name}");
    }
    Ok(if not_red.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn work(
    number: usize,
    dir: &Path,
    unfit: &Unfit,
    waiting: &Mutex<std::vec::IntoIter<Break>>,
    runs: &Mutex<Vec<BreakRun>>,
) -> Result<(), Box<dyn Error>> {
    let copy = Copy::of(&root(), &dir.join(number.to_string()))?;
    loop {
        let next = waiting.lock().map_err(|_| "another worker has panicked")?.next();
        let Some(one) = next else { return Ok(()) };
        let began = Instant::now();
        let verdict = copy.with(&one, unfit)?;
        let took = began.elapsed().as_secs();
        println!("{verdict:<16}  {took:>3} s  {}", one.name);
        if let Some(said) = verdict.said() {
            println!("{said}");
        }
        runs.lock().map_err(|_| "another worker has panicked")?.push(BreakRun { name: one.name, verdict });
    }
}
