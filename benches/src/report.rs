//! The lines of the output: one JSON object each.

use serde::{Deserialize, Serialize};

/// One figure.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Line {
    pub(crate) bench: String,
    pub(crate) subject: String,
    pub(crate) value: f64,
    pub(crate) unit: String,
    /// The median of the ratios to the floor's figure of the same round.
    pub(crate) ratio_to_floor: Option<f64>,
}

impl Line {
    pub(crate) fn new(bench: &str, subject: &str, value: f64, unit: &str, ratio_to_floor: Option<f64>) -> Self {
        Self {
            bench: bench.to_owned(),
            subject: subject.to_owned(),
            value: rounded(value),
            unit: unit.to_owned(),
            ratio_to_floor: ratio_to_floor.map(rounded),
        }
    }

    /// Whether `self` is a newer measurement of the same thing.
    pub(crate) fn replaces(&self, other: &Self) -> bool {
        (&self.bench, &self.subject, &self.unit) == (&other.bench, &other.subject, &other.unit)
    }
}

/// Four significant digits: more would be noise.
fn rounded(value: f64) -> f64 {
    if value == 0.0 || !value.is_finite() {
        return value;
    }
    #[expect(clippy::cast_possible_truncation, reason = "the magnitude of a finite f64 is at most 308")]
    let magnitude = value.abs().log10().floor() as i32;
    let scale = 10f64.powi(3 - magnitude);
    (value * scale).round() / scale
}

/// Prints lines as they come, and keeps them for the table.
#[derive(Debug, Default)]
pub(crate) struct Report {
    lines: Vec<Line>,
}

impl Report {
    /// Lines that an earlier run has printed.
    ///
    /// # Errors
    /// On a line that is not one of these.
    pub(crate) fn recorded(text: &str) -> Result<Self, String> {
        let mut report = Self::default();
        for line in text.lines().filter(|line| line.starts_with('{')) {
            report.keep(serde_json::from_str(line).map_err(|error| format!("{line}: {error}"))?);
        }
        Ok(report)
    }

    pub(crate) fn print(&mut self, line: Line) {
        println!("{}", serde_json::to_string(&line).expect("a line is JSON"));
        self.keep(line);
    }

    pub(crate) fn lines(&self) -> &[Line] {
        &self.lines
    }

    fn keep(&mut self, line: Line) {
        match self.lines.iter_mut().find(|kept| line.replaces(kept)) {
            Some(kept) => *kept = line,
            None => self.lines.push(line),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn four_digits_are_kept() {
        let figures = [12_345.6, 1.234_56, 0.001_234_56, 0.0].map(|figure| rounded(figure).to_string());
        assert_eq!(figures, ["12350", "1.235", "0.001235", "0"]);
    }

    #[test]
    fn what_is_printed_can_be_recorded_and_is_replaced_by_what_is_measured_anew() {
        let old = Line::new("hit-hot", "ours", 1.0, "hits/s", None);
        let text = serde_json::to_string(&old).unwrap();
        let mut report = Report::recorded(&format!("progress\n{text}\n")).unwrap();
        assert_eq!(report.lines(), [old]);
        report.keep(Line::new("hit-hot", "ours", 2.0, "hits/s", Some(3.0)));
        assert_eq!(report.lines(), [Line::new("hit-hot", "ours", 2.0, "hits/s", Some(3.0))]);
        assert!(Report::recorded("{}").is_err());
    }
}
