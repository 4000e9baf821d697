//! The figures as a table in Markdown, on stdout or between two marks in `README.md`. None is copied by hand.

use crate::report::Line;
use crate::subjects::{FLOOR, OURS};
use crate::targets::{Bound, Of, TARGETS, Target};
use std::fmt::Write as _;
use std::process::Command;

const README: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/README.md");
const BEGIN: &str = "<!-- figures -->\n";
const END: &str = "<!-- /figures -->";

/// Puts the table into `README.md`.
pub(crate) fn write(lines: &[Line]) -> Result<(), String> {
    let readme = std::fs::read_to_string(README).map_err(|error| format!("{README}: {error}"))?;
    let replaced = between_marks(&readme, &markdown(lines)).ok_or_else(|| format!("{README}: no marks"))?;
    std::fs::write(README, replaced).map_err(|error| format!("{README}: {error}"))
}

fn between_marks(text: &str, table: &str) -> Option<String> {
    let begin = text.find(BEGIN)? + BEGIN.len();
    let end = begin + text[begin..].find(END)?;
    Some(format!("{}{table}{}", &text[..begin], &text[end..]))
}

/// Everything between the marks.
pub(crate) fn markdown(lines: &[Line]) -> String {
    let subjects = subjects(lines);
    let mut out = format!("{}\n\n| case | unit | target | met |", environment());
    for subject in &subjects {
        let _ = write!(out, " {subject} |");
    }
    out.push_str("\n|---|---|---|---|");
    out.push_str(&"---:|".repeat(subjects.len()));
    out.push('\n');
    for (bench, unit) in rows(lines) {
        let target = TARGETS.iter().find(|target| target.bench == bench && target.unit == unit);
        let is_met =
            target.and_then(|target| lines.iter().find(|line| target.is_about(line)).map(|line| met(target, line)));
        let _ =
            write!(out, "| {bench} | {unit} | {} | {} |", target.map(bound).unwrap_or_default(), is_met.unwrap_or(""));
        for subject in &subjects {
            let line = lines.iter().find(|line| line.bench == bench && line.unit == unit && line.subject == *subject);
            let _ = write!(out, " {} |", line.map(cell).unwrap_or_default());
        }
        out.push('\n');
    }
    out + &missed(lines)
}

/// The limits of the figures that miss their targets.
fn missed(lines: &[Line]) -> String {
    let mut out = String::new();
    for target in TARGETS {
        let Some(line) = lines.iter().find(|line| target.is_about(line)) else { continue };
        if target.is_met_by(line) == Some(false) {
            let _ = writeln!(out, "- **{}** ({}): {}.", target.bench, target.unit, target.limit);
        }
    }
    if out.is_empty() {
        "\nAll targets are met.\n".to_owned()
    } else {
        format!("\nWhat limits the missed ones:\n\n{out}")
    }
}

fn met(target: &Target, line: &Line) -> &'static str {
    match target.is_met_by(line) {
        Some(true) => "yes",
        Some(false) => "**missed**",
        None => "?",
    }
}

fn bound(target: &Target) -> String {
    let (sign, bound) = match target.bound {
        Bound::AtMost(bound) => ("≤", bound),
        Bound::AtLeast(bound) => ("≥", bound),
    };
    let of = if target.of == Of::Ratio { " × floor" } else { "" };
    format!("{sign} {bound}{of}")
}

fn cell(line: &Line) -> String {
    match line.ratio_to_floor {
        Some(ratio) if line.subject != FLOOR => format!("{} ({}×)", grouped(line.value), shortened(ratio)),
        _ => grouped(line.value),
    }
}

fn shortened(ratio: f64) -> String {
    if ratio < 0.01 { format!("{ratio:.4}") } else { format!("{ratio:.2}") }
}

/// `123456.0` → `123,456`
fn grouped(value: f64) -> String {
    let text = value.to_string();
    let (whole, fraction) = text.split_once('.').map_or((text.as_str(), None), |(whole, rest)| (whole, Some(rest)));
    let mut out = String::new();
    for (at, digit) in whole.chars().enumerate() {
        if at > 0 && (whole.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    if let Some(fraction) = fraction {
        out.push('.');
        out.push_str(fraction);
    }
    out
}

/// Ours, the floor, and the others in the order of their lines.
fn subjects(lines: &[Line]) -> Vec<&str> {
    let mut subjects = vec![OURS, FLOOR];
    for line in lines {
        if !subjects.contains(&line.subject.as_str()) {
            subjects.push(&line.subject);
        }
    }
    subjects
}

fn rows(lines: &[Line]) -> Vec<(&str, &str)> {
    let mut rows = Vec::new();
    for line in lines {
        let row = (line.bench.as_str(), line.unit.as_str());
        if !rows.contains(&row) {
            rows.push(row);
        }
    }
    rows
}

/// Where and with what it was measured.
fn environment() -> String {
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let cpus = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = cpus
        .lines()
        .find_map(|line| line.strip_prefix("model name"))
        .map_or("", |rest| rest.trim_matches([' ', '\t', ':']));
    let peers = ["cached", "cachekit-rs", "hitbox-fn", "hitbox-moka", "hitbox-redis", "moka", "quick_cache", "redis"]
        .map(|name| format!("{name} {}", locked_version(name)));
    format!(
        "{cores} cores ({model}), {} {}, {}, {}. Crates: {}. In brackets: the ratio to the floor.",
        std::env::consts::OS,
        std::env::consts::ARCH,
        first_words("rustc", "--version", 2),
        first_words("redis-server", "--version", 3).replace("server v=", ""),
        peers.join(", "),
    )
}

fn first_words(program: &str, argument: &str, words: usize) -> String {
    let output = Command::new(program).arg(argument).output().map(|output| output.stdout).unwrap_or_default();
    String::from_utf8_lossy(&output).split_whitespace().take(words).collect::<Vec<_>>().join(" ")
}

fn locked_version(name: &str) -> &'static str {
    let lock = include_str!("../Cargo.lock");
    let entry = format!("name = \"{name}\"\nversion = \"");
    lock.split_once(&entry).and_then(|(_, rest)| rest.split_once('"')).map_or("", |(version, _)| version)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::targets::HITS;

    #[test]
    fn only_what_stands_between_the_marks_is_replaced() {
        let text = format!("before\n{BEGIN}old\n{END}\nafter");
        assert_eq!(between_marks(&text, "new\n"), Some(format!("before\n{BEGIN}new\n{END}\nafter")));
        assert_eq!(between_marks("no marks", "new"), None);
    }

    #[test]
    fn a_row_says_whether_its_target_is_met_and_else_what_limits_it() {
        let line = |subject, value, ratio| Line::new("hit-hot", subject, value, HITS, Some(ratio));
        let text = markdown(&[line(OURS, 1_234_567.0, 2.0), line(FLOOR, 500_000.0, 1.0)]);
        assert!(
            text.contains("| hit-hot | hits/s | ≥ 3 × floor | **missed** | 1,235,000 (2.00×) | 500,000 |"),
            "{text}"
        );
        assert!(text.contains("- **hit-hot** (hits/s): "), "{text}");
        let text = markdown(&[line(OURS, 1_234_567.0, 3.0), line(FLOOR, 500_000.0, 1.0)]);
        assert!(text.contains("| yes |") && text.contains("All targets are met."), "{text}");
    }

    #[test]
    fn digits_are_grouped() {
        assert_eq!([1234.5, 123.0, 1_234_567.0, 0.25].map(grouped), ["1,234.5", "123", "1,234,567", "0.25"]);
    }

    #[test]
    fn versions_are_those_of_the_lock_file() {
        assert!(locked_version("redis").starts_with("1."));
    }
}
