//! scratch
use tests::model::{Rule, narrate, scenarios, search};
use std::time::Instant;

#[test]
#[ignore]
fn probe() {
    let only = std::env::var("ONLY").ok();
    for s in scenarios() {
        if only.as_ref().is_some_and(|o| !s.name.starts_with(o.as_str())) { continue }
        for rule in [Rule::Fresh, Rule::Linearizable] {
            let expected = if rule == Rule::Fresh { s.fresh } else { s.linearizable };
            let t = Instant::now();
            let f = search(&s.variant, rule);
            println!("{:<28} {:?} expected {:?}: {} states, {:?} steps, {:.1} s", s.name, rule, expected, f.states, f.counterexample.as_ref().map(Vec::len), t.elapsed().as_secs_f64());
            let wrong = (expected == tests::model::Verdict::Holds) != f.counterexample.is_none();
            if wrong || only.is_some() {
                if wrong { println!("   WRONG"); }
                if let Some(run) = f.counterexample { for l in narrate(&s.variant, rule, &run) { println!("     {l}"); } }
                if only.is_some() { println!("{:?}", f.coverage); }
            }
        }
    }
}
