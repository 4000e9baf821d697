//! Values near and past their end that stand beside another build's.

use super::*;

const EACH: [Freshness; 3] = [REVALIDATE, BACKGROUND, IF_ERROR];

impl Subject {
    /// Another build's value stands under the key, for longer than ours will.
    async fn with_a_base(&self) {
        self.cache.set("k", &"theirs".to_owned(), Options::new().ttl(Duration::from_secs(3_600))).await.unwrap();
    }

    async fn base(&self) -> Option<String> {
        self.cache.get::<String>("k").await
    }
}

#[tokio::test(start_paused = true)]
async fn it_is_renewed_in_its_place() {
    for fresh in EACH {
        let (on, function) = (Subject::new(), Function::new(fresh));
        on.with_a_base().await;
        function.stale(&on, 1).await;
        function.call(&on, Ok(2), AT_ONCE).await.unwrap();
        tasks().await;
        on.cache.settled().await;
        assert_eq!(function.call(&on, Ok(3), AT_ONCE).await, Ok(2), "{fresh:?}");
        assert_eq!((function.loads(), on.base().await.as_deref()), (1, Some("theirs")), "{fresh:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn it_bridges_a_source_that_is_down_only_while_its_base_stands() {
    for fresh in EACH {
        for is_replaced in [true, false] {
            let (on, function) = (Subject::new(), Function::new(fresh));
            let other = on.another();
            on.with_a_base().await;
            function.stale(&on, 1).await;
            assert_eq!(function.call(&on, failed(), AT_ONCE).await, Ok(1), "{fresh:?}");
            on.cache.settled().await;
            if is_replaced {
                other.with_a_base().await;
            } else {
                other.cache.delete("k").await.unwrap();
            }
            assert_eq!(function.call(&on, failed(), AT_ONCE).await, failed(), "{fresh:?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_invalidated_while_it_is_renewed_is_not_revived() {
    for fresh in EACH {
        let (on, function) = (Subject::new(), Function::new(fresh));
        let other = on.another();
        on.with_a_base().await;
        function.stale(&on, 1).await;
        let renewing = function.calling(&on, Ok(2), ms(50)).await;
        other.with_a_base().await;
        assert!(renewing.await.unwrap().is_ok());
        sleep(ms(60)).await;
        on.cache.settled().await;
        assert_eq!(function.call(&on, Ok(3), AT_ONCE).await, Ok(3), "{fresh:?}");
        assert_eq!(on.base().await.as_deref(), Some("theirs"), "{fresh:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn two_processes_renew_it_once() {
    for fresh in [REVALIDATE, BACKGROUND] {
        let (on, function) = (Subject::new(), Function::new(fresh));
        let other = on.another();
        on.with_a_base().await;
        function.stale(&on, 1).await;
        let renewing = function.calling(&on, Ok(2), ms(50)).await;
        for _ in 0..5 {
            assert_eq!(function.call(&other, Ok(9), AT_ONCE).await, Ok(1), "{fresh:?}");
            tasks().await;
        }
        assert!(renewing.await.unwrap().is_ok());
        sleep(ms(60)).await;
        on.cache.settled().await;
        assert_eq!((function.call(&other, Ok(9), AT_ONCE).await, function.loads()), (Ok(2), 1), "{fresh:?}");
    }
}
