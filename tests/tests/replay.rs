//! The runs in which the model breaks its rules, replayed on the implementation and a real server: there they must end well.
//!
//! What each step of the model becomes is told in `replay/engine.rs`.

#[path = "replay/desk.rs"]
mod desk;
#[path = "replay/engine.rs"]
mod engine;
#[path = "replay/foreign.rs"]
mod foreign;
#[path = "replay/gate.rs"]
mod gate;
#[path = "replay/row.rs"]
mod row;
#[path = "replay/stage.rs"]
mod stage;

use engine::Report;
use stage::Finish;
use tests::model::{Action, Rule, Size, Verdict, scenario, scenarios, search};

async fn replayed(name: &str) -> (Vec<Action>, Report) {
    let scenario = scenario(name);
    let variant = scenario.in_short();
    let rule = if scenario.fresh == Verdict::Broken { Rule::Fresh } else { Rule::Linearizable };
    let run = search(&variant, rule).counterexample.expect("the model breaks the rule");
    let report = engine::replay(&variant, &run).await;
    println!(
        "{name}: {:?}, {} skipped, {:?}\n  {}",
        report.taken,
        report.skipped,
        report.finish,
        report.log.join("\n  ")
    );
    (run, report)
}

async fn check(name: &str) {
    let (run, report) = replayed(name).await;
    assert!(report.stale.is_empty(), "{name}: {:#?}, after\n  {}", report.stale, report.log.join("\n  "));
    let count = |is: fn(&Action) -> bool| run.iter().filter(|action| is(action)).count();
    // No replay is empty: every call is made and returns, every load and every commit is made in its turn.
    let calls = count(|action| matches!(action, Action::Get(_) | Action::GetAndRefresh(_)));
    assert_eq!((report.took("call"), report.finish.returned), (calls, calls), "{name}");
    assert_eq!(report.took("COMMIT"), count(|action| matches!(action, Action::Commit(_))), "{name}");
    let selects = count(|action| matches!(action, Action::Select(task) if !task.refresh));
    assert_eq!(report.took("SELECT"), selects, "{name}");
    for (kind, least) in essential(name) {
        assert!(report.took(kind) >= *least, "{name}: {kind} {} times", report.took(kind));
    }
    // Whatever is committed is promised to be seen, but for what is beyond the protocol.
    let Finish { last, committed, completed, .. } = report.finish;
    assert_eq!(completed == committed, !BEYOND.contains(&name), "{name}: v{completed} of v{committed} is complete");
    assert!(last >= completed, "{name}");
    if BEYOND.contains(&name) {
        assert!(last < committed, "{name}: more was kept than is promised, so it should be");
    }
}

/// A writer that crashes with its commit under way: a plain one, and a bracket whose marker is gone before the commit.
/// These are limits of the protocol, which the implementation has as well.
const BEYOND: &[&str] = &["c11", "d8", "d15", "t5"];

/// What has to happen in the new holes' replays, or they would show nothing.
fn essential(name: &str) -> &'static [(&'static str, usize)] {
    match name {
        "fill_proof_without_tags" => &[("landing", 1), ("UNLINK", 1), ("FILL", 1), ("TAG", 2), ("answer", 1)],
        "fill_proof_by_answer" => &[("landing", 1), ("FILL", 1), ("UNLINK", 1), ("answer", 1)],
        "found_with_kept_tag" => &[("ACQUIRE", 2), ("TAG", 2), ("FILL", 1), ("UNLINK", 1), ("GET with tags", 3)],
        "put_without_token" => &[("BEGIN", 2), ("END", 2)],
        "put_token_again" => &[("BEGIN", 2), ("break", 1), ("expiry", 1), ("late command", 1), ("END", 2)],
        "resend_same_id" | "resend_same_tag" => &[("break", 1), ("UNLINK", 1), ("late command", 1)],
        "value_tags_without_register" => &[("ACQUIRE", 1), ("UNLINK", 1), ("TAG", 2)],
        "value_tags_without_marker" => &[("ACQUIRE", 1), ("BEGIN", 1), ("TAG", 1), ("crash", 1), ("expiry", 2)],
        _ => &[],
    }
}

macro_rules! replays {
    ($($name:ident),* $(,)?) => {
        $(
            #[tokio::test]
            async fn $name() {
                check(stringify!($name)).await;
            }
        )*

        const REPLAYED: &[&str] = &[$(stringify!($name)),*];
    };
}

replays!(
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
    t6_restart,
    value_tags,
    value_tags_without_register,
    value_tags_without_marker,
    put_plain,
    put_in_time,
    put_restart,
    put_without_token,
    put_tag_plain,
    flight,
    flight_tags,
    flight_value_tags,
    fill_proof_without_tags,
    fill_proof_by_answer,
    found_with_kept_tag,
    late,
    late_twice,
    late_refresh,
    late_flight,
    late_tags,
    resend_same_id,
    resend_same_tag,
    put_token_again,
);

/// The huge ones are searched in the long run of the model only.
#[test]
fn every_broken_scenario_is_replayed() {
    for scenario in scenarios() {
        let is_broken = scenario.linearizable == Verdict::Broken && scenario.size != Size::Huge;
        assert_eq!(REPLAYED.contains(&scenario.name), is_broken, "{}", scenario.name);
    }
}
