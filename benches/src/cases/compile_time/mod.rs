//! The cost of an attribute for the compiler: debug builds of one crate of 200 functions, uncached and with each way to
//! cache them. Dependencies are built once; only the crate itself is built again.

mod project;
mod source;

use crate::report::Line;
use crate::rounds::{Samples, lines, median, order};
use crate::scale::Scale;
use crate::targets::COMPILE;
use project::Project;
use source::{FUNCTIONS, Variant};

const ROUNDS: usize = 5;

pub(super) fn run(bench: &str, scale: &Scale) -> Vec<Line> {
    let project = match Project::new() {
        Ok(project) => project,
        Err(problem) => {
            eprintln!("{bench}: {problem}");
            return Vec::new();
        }
    };
    let mut seconds: Vec<Vec<f64>> = Variant::ALL.iter().map(|_| Vec::new()).collect();
    // The round before the first one builds the dependencies, and shows which variants can be built.
    for round in 0..=scale.rounds_or(ROUNDS) {
        eprintln!("{bench}: round {round}{}", if round == 0 { " (dependencies)" } else { "" });
        for turn in order(Variant::ALL.len(), round) {
            match project.build(Variant::ALL[turn]) {
                Ok(_) if round == 0 => {}
                Ok(elapsed) => {
                    eprintln!("{bench}: {:.2} s {}", elapsed.as_secs_f64(), Variant::ALL[turn].name());
                    seconds[turn].push(elapsed.as_secs_f64());
                }
                Err(problem) => {
                    eprintln!("{bench}: {problem}");
                    return Vec::new();
                }
            }
        }
    }
    let (plain, cached) = seconds.split_at(1);
    eprintln!("{bench}: {:.2} s without any caching", median(plain[0].clone()));
    let samples: Vec<_> = Variant::ALL[1..]
        .iter()
        .zip(cached)
        .map(|(variant, with)| Samples { subject: variant.name(), figures: per_function(with, &plain[0]) })
        .collect();
    lines(bench, COMPILE, &samples)
}

/// Milliseconds that caching adds to each function, round by round.
fn per_function(with: &[f64], without: &[f64]) -> Vec<f64> {
    with.iter().zip(without).map(|(with, without)| (with - without) * 1e3 / FUNCTIONS as f64).collect()
}
