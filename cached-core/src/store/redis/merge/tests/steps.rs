//! Items that ask nothing: steps, which are taken as often as callers bring them.

use super::*;

/// A step that all callers bring alike.
#[derive(Debug, Clone, PartialEq)]
struct Step;

impl Item for Step {
    fn question(&self) -> Option<&Key> {
        None
    }
}

#[tokio::test(start_paused = true)]
async fn steps_that_look_alike_go_out_as_often_as_they_come() {
    let steps = Arc::new(Merge::<u8, Step, u8>::new(KEYS));
    let enter = || steps.enter(&[Step], HERE, Instant::now());
    let _first = enter();
    let Turn::Together(opens, Some(mut sending)) = enter() else { panic!("no new batch") };
    let Turn::Together(joins, None) = enter() else { panic!("it joins none") };
    assert_eq!(sending.close().await, Some(vec![Step, Step]));
    assert_eq!([opens, joins].map(|ticket| ticket.positions().next()), [Some(0), Some(1)]);
}

#[tokio::test(start_paused = true)]
async fn a_single_step_is_not_held_back_for_one_like_it() {
    let steps = Arc::new(Merge::<u8, Step, u8>::new(KEYS));
    let enter = || steps.enter(&[Step], HERE, Instant::now());
    let _first = enter();
    let mut sent = Vec::new();
    for _ in 0..2 {
        let Turn::Together(_, Some(mut sending)) = enter() else { panic!("no new batch") };
        let closed = timeout(Duration::from_secs(1), sending.close()).await.expect("it is held back");
        assert_eq!(closed, Some(vec![Step]));
        sent.push(sending);
    }
}
