//! Interleaving: every round measures all subjects, and each round begins with another one. So whatever the machine
//! does meanwhile, and the order of turns, affects all alike.

use crate::report::Line;
use crate::subjects::{Contender, FLOOR};

/// The figures of one subject, round by round.
#[derive(Debug)]
pub(crate) struct Samples {
    pub(crate) subject: &'static str,
    pub(crate) figures: Vec<f64>,
}

/// Measures every subject in every round.
pub(crate) async fn interleaved(
    bench: &str,
    contenders: &[Box<dyn Contender>],
    rounds: usize,
    mut measure: impl AsyncFnMut(&dyn Contender) -> f64,
) -> Vec<Samples> {
    let mut samples: Vec<_> =
        contenders.iter().map(|contender| Samples { subject: contender.name(), figures: Vec::new() }).collect();
    for round in 0..rounds {
        eprintln!("{bench}: round {} of {rounds}", round + 1);
        for turn in order(contenders.len(), round) {
            samples[turn].figures.push(measure(contenders[turn].as_ref()).await);
        }
    }
    samples
}

/// The order of turns in a round.
pub(crate) fn order(subjects: usize, round: usize) -> impl Iterator<Item = usize> {
    (0..subjects).map(move |turn| (turn + round) % subjects)
}

/// The medians, and those of the ratios to the floor.
pub(crate) fn lines(bench: &str, unit: &str, samples: &[Samples]) -> Vec<Line> {
    let floor = samples.iter().find(|samples| samples.subject == FLOOR);
    let line = |of: &Samples| {
        let ratio = floor.map(|floor| {
            let ratios = of.figures.iter().zip(&floor.figures).map(|(figure, floor)| figure / floor);
            median(ratios.collect())
        });
        Line::new(bench, of.subject, median(of.figures.clone()), unit, ratio)
    };
    samples.iter().map(line).collect()
}

/// The middle figure; of an even number, the mean of the two in the middle.
pub(crate) fn median(mut figures: Vec<f64>) -> f64 {
    assert!(!figures.is_empty(), "a median of nothing");
    figures.sort_by(f64::total_cmp);
    let middle = figures.len() / 2;
    if figures.len() % 2 == 1 { figures[middle] } else { f64::midpoint(figures[middle - 1], figures[middle]) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_one_in_the_middle() {
        assert!((median(vec![9.0, 1.0, 2.0]) - 2.0).abs() < f64::EPSILON);
        assert!((median(vec![9.0, 1.0, 2.0, 4.0]) - 3.0).abs() < f64::EPSILON);
    }

    #[test]
    fn every_subject_is_first_once_in_as_many_rounds() {
        let firsts: Vec<_> = (0..3).filter_map(|round| order(3, round).next()).collect();
        assert_eq!(firsts, [0, 1, 2]);
        assert_eq!(order(3, 1).collect::<Vec<_>>(), [1, 2, 0]);
    }

    #[test]
    fn ratios_are_of_figures_of_the_same_round() {
        let samples = [
            Samples { subject: "ours", figures: vec![2.0, 20.0, 300.0] },
            Samples { subject: FLOOR, figures: vec![1.0, 10.0, 100.0] },
        ];
        let lines = lines("b", "u", &samples);
        assert_eq!((lines[0].value, lines[0].ratio_to_floor), (20.0, Some(2.0)));
        assert_eq!((lines[1].value, lines[1].ratio_to_floor), (10.0, Some(1.0)));
    }
}
