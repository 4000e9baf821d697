//! Whether the benchmarks still measure what they should. For CI, where the figures themselves mean nothing.

use crate::cases::Case;
use crate::report::Line;
use crate::subjects::OURS;
use crate::targets::TARGETS;

/// Every case must have sound figures, and one for each of its targets.
pub(crate) fn check(cases: &[Case], lines: &[Line]) -> Result<(), String> {
    let mut problems = Vec::new();
    for case in cases {
        let of_case: Vec<_> = lines.iter().filter(|line| line.bench == case.name()).collect();
        if !of_case.iter().any(|line| line.subject == OURS) || of_case.len() < 2 {
            problems.push(format!("{}: ours or what it is compared with is missing", case.name()));
        }
        for line in of_case {
            let is_sound = |figure: f64| figure.is_finite() && figure > 0.0;
            if !is_sound(line.value) || !line.ratio_to_floor.is_none_or(is_sound) {
                problems.push(format!("{}: {} is not sound: {line:?}", line.bench, line.subject));
            }
        }
        for target in TARGETS.iter().filter(|target| target.bench == case.name()) {
            let answer = lines.iter().find(|line| target.is_about(line)).and_then(|line| target.is_met_by(line));
            if answer.is_none() {
                problems.push(format!("{}: nothing says whether \"{}\" meets its target", target.bench, target.unit));
            }
        }
    }
    if problems.is_empty() {
        eprintln!("smoke: {} cases have yielded {} figures", cases.len(), lines.len());
        return Ok(());
    }
    Err(problems.join("\n"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::targets::ENTRY;

    #[test]
    fn what_is_missing_or_not_a_number_is_found() {
        let case = [Case::EntryBytes];
        let ours = Line::new("entry-bytes", OURS, 400.0, ENTRY, Some(1.1));
        let floor = Line::new("entry-bytes", "floor", 370.0, ENTRY, Some(1.0));
        assert_eq!(check(&case, &[ours.clone(), floor.clone()]), Ok(()));
        assert!(check(&case, std::slice::from_ref(&floor)).is_err());
        assert!(check(&case, &[Line { value: f64::NAN, ..ours.clone() }, floor.clone()]).is_err());
        assert!(check(&case, &[Line { unit: "other".to_owned(), ..ours }, floor]).is_err());
    }
}
