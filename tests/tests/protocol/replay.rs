//! The runs in which the model breaks its rules, replayed on the implementation and a real server: there they must end
//! well.
//!
//! `replay/engine.rs` says what becomes of each step of the model.

mod by_hand;
mod desk;
mod engine;
mod foreign;
mod gate;
mod kept_tag;
mod past_its_end;
mod plain;
mod row;
mod stage;
mod wander;

use by_hand::HandRun;
use engine::Report;
use foreign::Ground;
use row::Reading;
use stage::{Finish, readings};
use std::sync::Arc;
use tests::model::{Action, Rule, Scenario, Size, Tags, Variant, Verdict, is_possible, scenario, scenarios, search};

/// A shortest run that breaks the scenario's rule.
fn broken(name: &str) -> (Variant, Vec<Action>) {
    let scenario = scenario(name);
    let variant = scenario.in_short();
    let rule = if scenario.fresh == Verdict::Broken { Rule::Fresh } else { Rule::Linearizable };
    (variant, search(&variant, rule).counterexample.expect("the model breaks the rule"))
}

/// The engine has none of the gates that values past their end would need here.
fn is_for_engine(variant: &Variant) -> bool {
    !variant.refresh_lease && !variant.bridges
}

/// Callers of one process share only with the engine.
fn is_for_scripts(variant: &Variant) -> bool {
    !variant.shares
}

/// Replays the run on the engine, with each way to write the readers' function, and with only the store's steps.
async fn check_on(ground: Ground, name: &str) {
    let (variant, run) = broken(name);
    if is_for_engine(&variant) {
        for reading in readings(&variant) {
            let report = engine::replay(ground, &variant, &run, reading).await;
            let Report { taken, skipped, finish, log, .. } = &report;
            println!("{name} {reading:?}: {taken:?}, {skipped} skipped, {finish:?}\n  {}", log.join("\n  "));
            judge(name, &run, &report);
        }
    }
    if is_for_scripts(&variant) {
        check_scripts(ground, name, &variant, &run).await;
    }
}

fn judge(name: &str, run: &[Action], report: &Report) {
    let is_fresh = report.stale.is_empty();
    assert_eq!(is_fresh, name != TOO_LATE, "{name}: {:#?}, after\n  {}", report.stale, report.log.join("\n  "));
    let count = |is: fn(&Action) -> bool| run.iter().filter(|action| is(action)).count();
    // No replay is empty: every call is made and returns, and every load and commit takes place in its turn.
    let calls = count(|action| {
        matches!(action, Action::Get(_) | Action::GetStale(_) | Action::GetAndRefresh(_) | Action::Force(_))
    });
    assert_eq!((report.took("call"), report.finish.returned), (calls, calls), "{name}");
    assert_eq!(report.took("COMMIT"), count(|action| matches!(action, Action::Commit(_))), "{name}");
    let selects = count(|action| matches!(action, Action::Select(task) if !task.refresh));
    assert_eq!(report.took("SELECT"), selects, "{name}");
    for (kind, least) in essential(name) {
        assert!(report.took(kind) >= *least, "{name}: {kind} {} times", report.took(kind));
    }
    // Every commit is promised to be seen, except for what is beyond the protocol.
    let Finish { last, committed, completed, .. } = report.finish;
    // Or for those of a writer that tells nobody: they are complete by force, or not at all.
    let is_silent = name.starts_with("forced");
    assert!(
        is_silent || (completed == committed) != BEYOND.contains(&name),
        "{name}: v{completed} of v{committed} is complete"
    );
    assert_eq!(last >= completed, is_fresh, "{name}");
    if BEYOND.contains(&name) {
        assert!(last < committed, "{name}: more was kept than is promised, so it should be");
    }
}

/// A writer that crashes with its commit under way: a plain one, and a bracket whose marker is gone before the commit.
/// These limits of the protocol are limits of the implementation too.
const BEYOND: &[&str] = &["c11", "d8", "d15", "t5"];

/// A SET by hand counts as made when it was sent. One that is carried out after a write that came later is a limit of
/// the protocol, and of the implementation too.
const TOO_LATE: &str = "set_late";

/// Steps that must happen in the replays of the new holes; otherwise they would show nothing.
fn essential(name: &str) -> &'static [(&'static str, usize)] {
    match name {
        "fill_proof_without_tags" => &[("landing", 1), ("UNLINK", 1), ("FILL", 1), ("TAG", 2), ("answer", 1)],
        "fill_proof_by_answer" => &[("landing", 1), ("FILL", 1), ("UNLINK", 1), ("answer", 1)],
        "found_with_kept_tag" => &[("ACQUIRE", 2), ("TAG", 2), ("FILL", 1), ("UNLINK", 1), ("GET with tags", 3)],
        "set" => &[("SET", 1)],
        "set_unmarked" => &[("BEGIN", 1), ("SET", 1), ("crash", 1), ("COMMIT", 1), ("expiry", 1)],
        "set_late" => &[("break", 1), ("BEGIN", 1), ("END", 1), ("late command", 1)],
        "put_without_token" => &[("BEGIN", 2), ("END", 2)],
        "put_token_again" => &[("BEGIN", 2), ("break", 1), ("expiry", 1), ("late command", 1), ("END", 2)],
        "resend_same_id" | "resend_same_tag" => &[("break", 1), ("UNLINK", 1), ("late command", 1)],
        "value_tags_without_register" => &[("ACQUIRE", 1), ("UNLINK", 1), ("TAG", 2)],
        "value_tags_without_marker" => &[("ACQUIRE", 1), ("BEGIN", 1), ("TAG", 1), ("crash", 1), ("expiry", 2)],
        _ => &[],
    }
}

async fn check_scripts(ground: Ground, name: &str, variant: &Variant, run: &[Action]) {
    let player = plain::replay(ground, variant, run).await;
    println!("{name}, scripts: {:?}\n  {}", player.taken, player.log.join("\n  "));
    let is_fresh = player.stale.is_empty();
    assert_eq!(is_fresh, name != TOO_LATE, "{name}: {:#?}, after\n  {}", player.stale, player.log.join("\n  "));
    let took = |kind| player.taken.get(kind).copied().unwrap_or_default();
    let count = |is: fn(&Action) -> bool| run.iter().filter(|action| is(action)).count();
    let ends = count(|action| matches!(action, Action::End(_)));
    assert_eq!(took("COMMIT"), count(|action| matches!(action, Action::Commit(_))), "{name}");
    assert_eq!(took("SELECT"), count(|action| matches!(action, Action::Select(_))), "{name}");
    assert_eq!(took("UNLINK"), count(|action| matches!(action, Action::Unlink(_))), "{name}");
    assert_eq!(took("BEGIN"), count(|action| matches!(action, Action::Begin(_))), "{name}");
    assert_eq!(took("END") + took("END with a value"), ends, "{name}");
    let takeovers = count(|action| matches!(action, Action::Takeover(_)));
    assert!(took("TAKEOVER") >= takeovers, "{name}");
    let sets = count(|action| matches!(action, Action::Set));
    assert_eq!(took("SET") + took("SET, refused"), sets, "{name}");
    assert_eq!(took("SET, refused"), usize::from(name == "set_unmarked"), "{name}");
    assert_eq!(took("late command"), count(|action| matches!(action, Action::Late(_))), "{name}");
}

macro_rules! replays {
    ($($name:ident),* $(,)?) => {
        $(
            #[tokio::test]
            async fn $name() {
                check_on(Ground::Redis, stringify!($name)).await;
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
    refresh_lease,
    bridge,
    unstored,
    head_after_load,
    stale_before_tags,
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
    set,
    set_unmarked,
    set_late,
    forced,
    forced_refresh,
    forced_twice,
    forced_put,
    forced_ended,
    forced_by_ticket,
    forced_lease_respected,
    forced_head_kept,
    forced_unmarked,
    forced_token_respected,
    forced_same_id,
);

#[tokio::test]
async fn found_with_kept_tag_when_acquire_is_sent_again() {
    for reading in [Reading::ByHand(Tags::Known), Reading::Annotated(Tags::Known)] {
        let (finish, stale, log) = kept_tag::run(reading).await;
        assert!(stale.is_empty(), "{stale:#?}, after\n  {}", log.join("\n  "));
        assert_eq!((finish.completed, finish.returned), (1, 3));
    }
}

/// A store in memory takes the same steps.
#[tokio::test]
async fn sets_by_hand_in_memory() {
    for name in ["set", "set_unmarked", "set_late"] {
        check_on(Ground::Memory, name).await;
    }
}

/// Nor is there a difference for forced refreshes.
#[tokio::test]
async fn forced_refreshes_in_memory() {
    for name in REPLAYED.iter().filter(|name| name.starts_with("forced")) {
        check_on(Ground::Memory, name).await;
    }
}

/// Runs in which the model keeps its promises.
async fn check_by_hand(run: &HandRun) {
    let HandRun { name, of, steps, returned, says } = run;
    // Enough reads to see what becomes of each value.
    let variant = Variant { reads: [3, 3, 0], ..scenario(of).variant };
    assert!(is_possible(&variant, steps), "{name} is not a run of the model");
    for ground in [Ground::Redis, Ground::Memory] {
        for reading in readings(&variant) {
            let report = engine::replay(ground, &variant, steps, reading).await;
            let log = report.log.join("\n  ");
            println!("{name} {ground:?} {reading:?}: {:?}\n  {log}", report.taken);
            judge(name, steps, &report);
            assert_eq!(report.skipped, 0, "{name}: each step takes place, in\n  {log}");
            for line in *says {
                assert_eq!(report.log.iter().filter(|logged| logged.contains(line)).count(), 1, "{line}\n  {log}");
            }
            let lines = report.log.iter().filter_map(|line| line.trim().strip_prefix("a read of "));
            let versions = lines.map(|line| line.split(',').next().unwrap_or_default()).collect::<Vec<_>>();
            assert_eq!(versions, *returned, "{name}, after\n  {log}");
        }
        if !variant.builds {
            let player = plain::replay(ground, &variant, steps).await;
            assert!(player.stale.is_empty(), "{name}: {:#?}, after\n  {}", player.stale, player.log.join("\n  "));
        }
    }
}

macro_rules! sets {
    ($($name:ident),* $(,)?) => {
        $(
            #[tokio::test]
            async fn $name() {
                check_by_hand(&by_hand::$name()).await;
            }
        )*
    };
}

sets!(
    set_during_a_load,
    set_during_a_bracket,
    set_during_a_put,
    set_during_a_bracket_of_the_tag,
    set_beside_a_load_of_another_build,
    set_over_the_value_of_another_build,
);

/// The leader's value is not for callers that have come since: each of them reads for itself.
#[tokio::test]
async fn stale_to_all() {
    let (finish, stale, log) = past_its_end::run().await;
    assert!(stale.is_empty(), "{stale:#?}, after\n  {}", log.join("\n  "));
    assert!(log.iter().any(|line| line.contains("reader 0 returned v0, at least v0")), "{log:#?}");
    assert_eq!((finish.completed, finish.returned), (1, 3), "{log:#?}");
}

/// `REPLAY_SEEDS=0..10000` runs more of them.
#[tokio::test]
async fn random_runs_are_fresh() {
    let seeds = std::env::var("REPLAY_SEEDS").unwrap_or_default();
    let number = |text: &str| text.parse::<u64>().ok();
    let chosen = seeds.split_once("..").and_then(|(from, to)| Some(number(from)?..number(to)?));
    let foreign = Arc::new(foreign::Foreign::start(Ground::Redis).await);
    let (mut reads, mut committed, mut completed) = (0, 0, 0);
    for seed in chosen.unwrap_or(0..SEEDS) {
        let wandered = wander::wander(&foreign, seed).await;
        let log = wandered.log.join("\n  ");
        assert!(wandered.stale.is_empty(), "{:#?}, after\n  {log}", wandered.stale);
        reads += wandered.finish.returned;
        committed += wandered.finish.committed;
        completed += wandered.finish.completed;
    }
    println!("{reads} reads, {committed} commits; versions that were complete at the end add up to {completed}");
    assert!(reads > 0 && committed > 0 && completed > 0);
}

/// Random runs in every run of the tests.
const SEEDS: u64 = 60;

/// Only the long run of the model searches the huge ones.
#[test]
fn every_broken_scenario_is_replayed() {
    for scenario in scenarios().into_iter().filter(Scenario::is_replayed) {
        let is_broken = scenario.linearizable == Verdict::Broken && scenario.size != Size::Huge;
        let has_a_way = is_for_engine(&scenario.variant) || is_for_scripts(&scenario.variant);
        assert_eq!(REPLAYED.contains(&scenario.name), is_broken && has_a_way, "{}", scenario.name);
    }
}
