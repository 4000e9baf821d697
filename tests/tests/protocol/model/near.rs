//! Every run of the near cache's model is searched.

use tests::model::Verdict;
use tests::model::near::{Rule, life, narrate, scenario, scenarios, search};

/// The verdict on each rule that was searched, and the states of the largest search.
fn verdicts(name: &str) -> (Vec<(Rule, String)>, usize) {
    let scenario = scenario(name);
    let mut states = 0;
    let mut verdicts = Vec::new();
    for rule in scenario.rules() {
        let found = search(&scenario.variant, rule);
        println!("{name} {rule:?}: {} states", found.states);
        let run = found.counterexample.as_deref().unwrap_or_default();
        for line in narrate(&scenario.variant, run) {
            println!("  {line}");
        }
        let verdict = if found.counterexample.is_some() { Verdict::Broken } else { Verdict::Holds };
        assert_eq!(verdict, scenario.expected(rule), "{name}: {rule:?}");
        if verdict == Verdict::Holds {
            for event in scenario.has_to_happen() {
                assert!(found.happened(event), "{name}: {event:?} never happens");
            }
        }
        states = states.max(found.states);
        verdicts.push((rule, if run.is_empty() { "holds".to_owned() } else { format!("{}!", run.len()) }));
    }
    (verdicts, states)
}

macro_rules! scenarios {
    ($($name:ident),* $(,)?) => {
        $(
            #[test]
            fn $name() {
                verdicts(stringify!($name));
            }
        )*

        const TESTED: &[&str] = &[$(stringify!($name)),*];
    };
}

scenarios!(
    l1,
    l2,
    l3,
    l3_flush,
    l4,
    near_tag,
    near_value_tag,
    near_tag_unreserved,
    near_value_tag_unreserved,
    near_own,
    near_own_before,
    near_nested,
    near_nested_copy,
    near_beat,
    near_beat_overtaken,
    near_beat_at_pong,
    near_gap,
    near_gap_own,
    near_gap_tag,
    near_gap_served,
    near_gap_at_pong,
    near_gap_early,
    near_gap_old,
    near_gap_late_epoch,
    near_gap_without_epoch,
);

#[test]
fn every_scenario_is_tested() {
    let names: Vec<_> = scenarios().iter().map(|scenario| scenario.name).collect();
    assert_eq!(names, TESTED);
}

#[test]
fn a_copy_lives_no_longer_than_its_value() {
    let variant = life::Variant { pttl_first: false, pttl_is_watched: false, from_answer: false };
    let outlives = |variant: life::Variant| {
        let (run, states) = life::search(variant);
        println!("{variant:?}: {states} states");
        run.iter().flatten().for_each(|action| println!("  {action}"));
        run.is_some()
    };
    assert!(!outlives(variant));
    assert!(outlives(life::Variant { pttl_first: true, ..variant }));
    // Redis watches what PTTL has read as well.
    assert!(!outlives(life::Variant { pttl_first: true, pttl_is_watched: true, ..variant }));
    assert!(outlives(life::Variant { from_answer: true, ..variant }));
}

#[test]
#[ignore = "prints the table"]
fn near_table() {
    for scenario in scenarios() {
        let (verdicts, states) = verdicts(scenario.name);
        let cell = |rule: Rule| match verdicts.iter().find(|(of, _)| *of == rule) {
            Some((_, verdict)) => verdict.clone(),
            None if rule == Rule::Told => "holds".to_owned(),
            None => String::new(),
        };
        let cells = [Rule::Told, Rule::Bounded, Rule::Own, Rule::Nested].map(cell).join(" | ");
        println!("| {} | {} | {cells} | {states} |", scenario.name, scenario.what);
    }
}
