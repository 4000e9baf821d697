//! Every run of the protocol's model is searched. The protocol keeps its promises, and leaving out any rule breaks one.
//!
//! `cargo test --release -p tests --test protocol -- --ignored --nocapture` searches all scenarios in full, in about
//! half an hour, and prints the table of `MODEL.md`. `SCENARIOS=failover,taken` searches only scenarios whose names
//! begin so.

mod near;

use std::time::Instant;
use tests::model::{
    Event, Flaw, Rule, Scenario, Size, Variant, Verdict, counterexample, narrate, scenario, scenarios, search,
};

/// A search's verdict, the number of its states, and the length of its counterexample.
struct SearchReport {
    verdict: Verdict,
    states: usize,
    steps: usize,
}

impl SearchReport {
    /// The verdict in the table.
    fn cell(&self) -> String {
        match self.verdict {
            Verdict::Holds => "holds".to_owned(),
            Verdict::Broken => format!("{}!", self.steps),
        }
    }
}

/// The number with a comma after each three digits.
fn grouped(number: usize) -> String {
    if number < 1000 { number.to_string() } else { format!("{},{:03}", grouped(number / 1000), number % 1000) }
}

/// The rows of the table in `MODEL.md` that has this title: the cells of each.
fn rows(title: &str) -> Vec<Vec<String>> {
    let text = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/MODEL.md")).expect("MODEL.md");
    let (_, table) = text.split_once(title).expect("the table has its title");
    let lines = table.lines().skip(2).take_while(|line| line.starts_with('|'));
    lines.map(|line| line.trim_matches('|').split('|').map(|cell| cell.trim().to_owned()).collect()).collect()
}

const TITLE: &str = "| name | what it is | fresh | linearizable | states, fresh | states, linearizable |";

fn verdict(scenario: &Scenario, variant: &Variant, rule: Rule) -> SearchReport {
    let began = Instant::now();
    let found = search(variant, rule);
    let run = found.counterexample.as_deref().unwrap_or_default();
    println!("{} {rule:?}: {} states in {:.1} s", scenario.name, found.states, began.elapsed().as_secs_f64());
    for line in narrate(variant, rule, run) {
        println!("  {line}");
    }
    let verdict = if found.counterexample.is_some() { Verdict::Broken } else { Verdict::Holds };
    let expected = match rule {
        Rule::Fresh => scenario.fresh,
        Rule::Linearizable => scenario.linearizable,
        Rule::Once | Rule::Ended => Verdict::Holds,
    };
    assert_eq!(verdict, expected, "{}: {rule:?}", scenario.name);
    if verdict == Verdict::Holds {
        for event in scenario.has_to_happen() {
            assert_ne!(found.coverage.count(event), 0, "{}: {event:?} never happens", scenario.name);
        }
    }
    SearchReport { verdict, states: found.states, steps: run.len() }
}

/// What is searched in full has the same numbers in the table of `MODEL.md`.
fn check_in_table(scenario: &Scenario, rule: Rule) {
    let report = verdict(scenario, &scenario.in_short(), rule);
    if scenario.size == Size::Small {
        let rows = rows(TITLE);
        let row = rows.iter().find(|row| row[0] == scenario.name).expect("a row in MODEL.md");
        let column = if rule == Rule::Fresh { 2 } else { 3 };
        let told = [&row[column], &row[column + 2]];
        assert_eq!(told, [&report.cell(), &grouped(report.states)], "{}: {rule:?} in MODEL.md", scenario.name);
    }
}

/// A linearizable scenario is fresh as well, so one search is enough for it.
fn check(name: &str) {
    let scenario = scenario(name);
    if scenario.linearizable == Verdict::Broken {
        check_in_table(&scenario, Rule::Fresh);
    }
    check_in_table(&scenario, Rule::Linearizable);
}

macro_rules! scenarios {
    ($($name:ident),* $(,)?) => {
        $(
            #[test]
            fn $name() {
                check(stringify!($name));
            }
        )*

        const TESTED: &[&str] = &[$(stringify!($name)),*];
    };
}

scenarios!(
    a1,
    a2,
    b,
    c1,
    c3,
    c4,
    c5,
    c6,
    c7,
    c8,
    c9,
    c10,
    c11,
    c14,
    d1,
    d2,
    d2_again,
    d3,
    d4,
    d5,
    d6,
    d7,
    d8,
    d14,
    d15,
    d16,
    d17,
    d18,
    t1,
    t2,
    t3,
    t3_refresh,
    t4,
    t5,
    t6,
    t6_restart,
    value_tags,
    value_tags_crash,
    value_tags_without_register,
    value_tags_without_marker,
    put,
    put_crash,
    put_again,
    put_refresh,
    put_plain,
    put_in_time,
    put_restart,
    put_without_token,
    put_tag,
    put_both,
    put_both_twice,
    put_tag_plain,
    flight,
    flight_bracket,
    flight_put,
    flight_tags,
    flight_value_tags,
    fill_proof_without_tags,
    fill_proof_by_answer,
    found_with_kept_tag,
    refresh_lease,
    bridge,
    bridge_flight,
    bridge_tags,
    bridge_bracket,
    unstored,
    unstored_flight,
    unstored_put,
    head_after_load,
    stale_before_tags,
    look_without_tags,
    stale_to_all,
    late,
    late_twice,
    late_refresh,
    late_flight,
    late_bracket,
    late_tags,
    late_put,
    late_put_again,
    resend_same_id,
    resend_same_tag,
    put_token_again,
    taken,
    taken_tags,
    taken_bracket,
    taken_put,
    stalled,
    stalled_bracket,
    taken_after_load,
    taken_unmarked,
    stalled_to_all,
    failover,
    failover_bracket,
    demoted,
    two_primaries,
    failover_without_replay,
    failover_without_beat,
    demoted_without_role,
    beside,
    beside_refresh,
    beside_bracket,
    beside_put,
    beside_three,
    beside_blind,
    beside_tags,
    beside_value_tags,
    beside_flight,
    beside_flight_bracket,
    beside_restart,
    beside_late,
    beside_taken,
    beside_failover,
    own_entries,
    base_not_recorded,
    base_after_load,
    beside_nothing,
    beside_token,
    fill_proof_without_base,
    found_with_kept_base,
    set,
    set_bracket,
    set_twice,
    set_put,
    set_tags,
    set_beside,
    set_unmarked,
    set_late,
    forced,
    forced_refresh,
    forced_twice,
    forced_bracket,
    forced_put,
    forced_flight,
    forced_beside_twice,
    forced_ended,
    forced_by_ticket,
    forced_lease_respected,
    forced_head_kept,
    forced_unmarked,
    forced_token_respected,
    forced_same_id,
    forced_shares_proof,
);

#[test]
fn every_scenario_is_tested_or_for_the_long_run() {
    for scenario in scenarios() {
        assert_eq!(TESTED.contains(&scenario.name), scenario.size != Size::Huge, "{}", scenario.name);
    }
}

#[test]
fn every_scenario_has_its_row_in_the_table() {
    let cell = |verdict| if verdict == Verdict::Holds { "holds" } else { "!" };
    let expected = scenarios().into_iter().map(|scenario| {
        let Scenario { name, what, fresh, linearizable, .. } = scenario;
        [name, what, cell(fresh), cell(linearizable)].map(str::to_owned)
    });
    let told = rows(TITLE).into_iter().map(|row| {
        let verdict = |at: usize| if row[at].ends_with('!') { "!".to_owned() } else { row[at].clone() };
        [row[0].clone(), row[1].clone(), verdict(2), verdict(3)]
    });
    assert_eq!(told.collect::<Vec<_>>(), expected.collect::<Vec<_>>());
}

#[test]
fn a_counterexample_is_a_list_of_steps() {
    let run = counterexample(&scenario("a1").variant);
    assert_eq!(
        run.iter().map(ToString::to_string).collect::<Vec<_>>(),
        [
            "reader 0: GET",
            "loader 0: SELECT",
            "writer 0: COMMIT",
            "writer 0: UNLINK",
            "loader 0: FILL",
            "reader 0: GET",
        ]
    );
    assert!(counterexample(&scenario("c1").variant).is_empty());
}

/// Two refreshes load over one value only if a refresh lease runs out. That holds because its holder reads a second
/// time.
#[test]
fn one_refresh_lease_is_one_load() {
    let scenario = scenario("refresh_lease");
    let variant = scenario.in_short();
    verdict(&scenario, &variant, Rule::Once);
    let hasty = Variant { flaw: Flaw::NoSecondLook, ..variant };
    assert!(search(&hasty, Rule::Once).counterexample.is_some());
    assert!(search(&hasty, Rule::Fresh).counterexample.is_none());
}

/// A refresh that finds nothing to store removes the value that it has read. Without that rule the value stays. Without
/// the check of what stands there by now, values that others have loaded since are removed too; that is not stale, but
/// costs a load.
#[test]
fn a_refresh_that_stores_nothing_ends_the_old_value() {
    for name in ["unstored", "unstored_flight", "unstored_put"] {
        let scenario = scenario(name);
        let variant = Variant { reads: [2, 1, 0], ..scenario.in_short() };
        let found = search(&variant, Rule::Ended);
        assert!(found.counterexample.is_none(), "{name}");
        assert_ne!(found.coverage.count(Event::Ended), 0, "{name}");
        assert_eq!(found.coverage.count(Event::NewerRemoved), 0, "{name}");
        let broken = |flaw, rule| {
            let mut broken = variant;
            broken.flaw = flaw;
            search(&broken, rule)
        };
        assert!(broken(Flaw::KeepsOld, Rule::Ended).counterexample.is_some(), "{name}");
        assert!(broken(Flaw::KeepsOld, Rule::Fresh).counterexample.is_none(), "{name}: no lie, but no end");
        for rule in [Rule::Ended, Rule::Fresh] {
            assert!(broken(Flaw::RemovesAny, rule).counterexample.is_none(), "{name}");
        }
    }
    let variant = scenario("unstored").variant;
    let found = search(&variant, Rule::Ended);
    assert_ne!(found.coverage.count(Event::EndedBefore), 0, "another value stands there, and stays");
    let hasty = Variant { flaw: Flaw::RemovesAny, ..variant };
    assert_ne!(search(&hasty, Rule::Ended).coverage.count(Event::NewerRemoved), 0);
}

#[test]
#[ignore = "takes minutes, and is meant for --release"]
fn long_run() {
    let began = Instant::now();
    let mut total = 0;
    let mut rows = Vec::new();
    let chosen = std::env::var("SCENARIOS").unwrap_or_default();
    let is_chosen = |scenario: &Scenario| chosen.split(',').any(|name| scenario.name.starts_with(name));
    for scenario in scenarios().into_iter().filter(is_chosen) {
        let [fresh, linearizable] =
            [Rule::Fresh, Rule::Linearizable].map(|rule| verdict(&scenario, &scenario.variant, rule));
        total += fresh.states + linearizable.states;
        rows.push(format!(
            "| {} | {} | {} | {} | {} | {} |",
            scenario.name,
            scenario.what,
            fresh.cell(),
            linearizable.cell(),
            grouped(fresh.states),
            grouped(linearizable.states),
        ));
    }
    println!("{}", rows.join("\n"));
    println!("{} states in {:.0} s", grouped(total), began.elapsed().as_secs_f64());
    assert!(total > 5_000_000 || !chosen.is_empty(), "{total}");
}
