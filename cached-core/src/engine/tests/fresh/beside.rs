//! Values near and past their end that stand beside the value of another build.

use super::*;

const EACH: [Freshness; 3] = [REVALIDATE, BACKGROUND, IF_ERROR];

impl Subject {
    /// Stores another build's value under the key, which lives longer than ours.
    async fn with_a_base(&self) {
        self.cache.entry("k").ttl(Duration::from_secs(3_600)).set(&"theirs".to_owned()).await.unwrap();
    }

    async fn base(&self) -> Option<String> {
        self.cache.entry("k").get::<String>().await
    }
}

#[tokio::test(start_paused = true)]
async fn a_companion_is_refreshed_in_its_place() {
    for fresh in EACH {
        let (on, function) = (Subject::new(), Function::new(fresh));
        on.with_a_base().await;
        function.stale(&on, 1).await;
        function.call(&on, Ok(2), AT_ONCE).await.unwrap();
        tasks().await;
        on.cache.flush().await;
        assert_eq!(function.call(&on, Ok(3), AT_ONCE).await, Ok(2), "{fresh:?}");
        assert_eq!((function.loads(), on.base().await.as_deref()), (1, Some("theirs")), "{fresh:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_companion_bridges_a_source_that_is_down_only_while_its_base_stands() {
    for fresh in EACH {
        for is_replaced in [true, false] {
            let (on, function) = (Subject::new(), Function::new(fresh));
            let other = on.another();
            on.with_a_base().await;
            function.stale(&on, 1).await;
            assert_eq!(function.call(&on, failed(), AT_ONCE).await, Ok(1), "{fresh:?}");
            on.cache.flush().await;
            if is_replaced {
                other.with_a_base().await;
            } else {
                other.cache.entry("k").remove().await.unwrap();
            }
            assert_eq!(function.call(&on, failed(), AT_ONCE).await, failed(), "{fresh:?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_companion_invalidated_during_its_refresh_does_not_come_back() {
    for fresh in EACH {
        let (on, function) = (Subject::new(), Function::new(fresh));
        let other = on.another();
        on.with_a_base().await;
        function.stale(&on, 1).await;
        let refreshing = function.calling(&on, Ok(2), ms(50)).await;
        other.with_a_base().await;
        assert!(refreshing.await.unwrap().is_ok());
        sleep(ms(60)).await;
        on.cache.flush().await;
        assert_eq!(function.call(&on, Ok(3), AT_ONCE).await, Ok(3), "{fresh:?}");
        assert_eq!(on.base().await.as_deref(), Some("theirs"), "{fresh:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn two_processes_refresh_a_companion_once() {
    for fresh in [REVALIDATE, BACKGROUND] {
        let (on, function) = (Subject::new(), Function::new(fresh));
        let other = on.another();
        on.with_a_base().await;
        function.stale(&on, 1).await;
        let refreshing = function.calling(&on, Ok(2), ms(50)).await;
        for _ in 0..5 {
            assert_eq!(function.call(&other, Ok(9), AT_ONCE).await, Ok(1), "{fresh:?}");
            tasks().await;
        }
        assert!(refreshing.await.unwrap().is_ok());
        sleep(ms(60)).await;
        on.cache.flush().await;
        assert_eq!((function.call(&other, Ok(9), AT_ONCE).await, function.loads()), (Ok(2), 1), "{fresh:?}");
    }
}

/// A follower has not read before its leader does, so it does not know yet that its value stands beside another's.
#[tokio::test(start_paused = true)]
async fn followers_are_served_a_companion_as_their_leader_is() {
    let (on, function) = (Subject::new(), Function::new(IF_ERROR));
    on.with_a_base().await;
    function.stale(&on, 1).await;
    let mut calls = Vec::new();
    for _ in 0..10 {
        calls.push(function.calling(&on, failed(), ms(20)).await);
    }
    for call in calls {
        assert_eq!(call.await.unwrap(), Ok(1));
    }
    assert_eq!(function.loads(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_follower_waits_as_long_as_without_a_base() {
    let fresh = Freshness { spawn: true, load_timeout_ms: Some(20), ..IF_ERROR };
    let (on, function) = (Subject::new(), Function::new(fresh));
    on.with_a_base().await;
    function.stale(&on, 1).await;
    let first = function.calling(&on, Ok(2), Duration::from_secs(1)).await;
    let (second, took) = timed(function.call(&on, Ok(3), Duration::from_secs(1))).await;
    assert_eq!((second, took), (Ok(1), ms(20)));
    assert_eq!(first.await.unwrap(), Ok(1));
}

/// Ten processes wait for the load of the other build. Then one of them loads for all.
#[tokio::test(start_paused = true)]
async fn calls_that_have_waited_for_another_build_wait_for_their_own_as_well() {
    let (on, function) = (Subject::new(), Function::new(Freshness::NONE));
    let theirs = on.another();
    let other = tokio::spawn(async move {
        let load = || async {
            sleep(ms(100)).await;
            Ok::<_, ()>("theirs".to_owned())
        };
        theirs.cache.entry("k").get_or_load(load).await.unwrap()
    });
    tasks().await;
    let mut calls = Vec::new();
    for _ in 0..10 {
        calls.push(function.calling(&on.another(), Ok(7), ms(100)).await);
    }
    for call in calls {
        assert_eq!(call.await.unwrap(), Ok(7));
    }
    assert_eq!((other.await.unwrap().as_str(), function.loads()), ("theirs", 1));
}
