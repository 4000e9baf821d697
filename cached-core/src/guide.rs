//! The guide: what users can do with this crate, one page for each problem.
//!
//! | page | answers |
//! |---|---|
//! | [`start`] | How do I cache my first function, and which option do I need? |
//! | [`mistakes`] | What does this message want, and why is nothing cached? |
//! | [`attribute`] | What can I write in `#[redis_cached]`, `#[redis_put]` and `#[redis_invalidate]`? |
//! | [`keys`] | Which calls share an entry, and how do I name one entry? |
//! | [`invalidation`] | How does a write invalidate what it has made old? |
//! | [`write_through`] | How do I store what a write returns? |
//! | [`near_cache`] | How do hot values stay in the process, and stay coherent? |
//! | [`freshness`] | How does nobody wait for an expiring value, and how is a failing source bridged? |
//! | [`by_hand`] | How do I cache without an attribute, and look at or replace one entry? |
//! | [`batches`] | How do I cache a function over many ids? |
//! | [`repositories`] | How do I cache behind a trait, or for any type of row? |
//! | [`per_call`] | How do I make one call past the cache, and was it a hit? |
//! | [`outages`] | What happens when Redis is slow, full or gone? |
//! | [`transactions`] | What may a database transaction read and invalidate? |
//! | [`deployments`] | What happens to entries when types or code change? |
//! | [`testing`] | How do I test code that uses the cache? |
//! | [`sync_code`] | How do I call a cached function from code that is not async? |
//! | [`migrating`] | How do I come from `cached`, Spring Cache or cashews? |
//! | [`costs`] | What does a hit, a miss, a write cost? |
//! | [`faq`] | Why is my function never a hit? And other questions |
//!
//! What is promised, and under which assumptions, is in [`guarantees`](crate::guarantees).
//!
//! # Words
//!
//! | word | meaning |
//! |---|---|
//! | entry | a cached value under its key |
//! | load | running your function, mostly because no entry can be served |
//! | hit, miss | a call that is answered from the cache; one that is not |
//! | near cache, near hit | decoded values in the memory of this process; a hit there |
//! | to invalidate | to make entries misses, in all processes |
//! | event | something that happens to the data, as a Rust type: writes cause it, entries listen to it |
//! | tag | a text that entries depend on |
//! | bracket | a write that invalidates before its body begins, and again when it has ended |
//! | marker | says in Redis that a bracket is in progress; while it lives, nothing is stored |
//! | lease | permission to load one key, in Redis; it ends by itself if its process dies |
//! | budget | the time that Redis may delay one call |
//! | breaker | opens when Redis fails repeatedly, so that calls do not even try |
//! | namespace | the first part of all keys of one service |
//! | fingerprint | what an entry says about the type of its value |
//!
//! These pages are documentation only: the modules are empty, and a program that uses this crate does not compile them.

#[doc = include_str!("../guide/start.md")]
pub mod start {}

#[doc = include_str!("../guide/mistakes.md")]
pub mod mistakes {}

#[doc = include_str!("../guide/attribute.md")]
pub mod attribute {}

#[doc = include_str!("../guide/keys.md")]
pub mod keys {}

#[doc = include_str!("../guide/invalidation.md")]
pub mod invalidation {}

#[doc = include_str!("../guide/write_through.md")]
pub mod write_through {}

#[doc = include_str!("../guide/near_cache.md")]
pub mod near_cache {}

#[doc = include_str!("../guide/freshness.md")]
pub mod freshness {}

#[doc = include_str!("../guide/by_hand.md")]
pub mod by_hand {}

#[doc = include_str!("../guide/batches.md")]
pub mod batches {}

#[doc = include_str!("../guide/repositories.md")]
pub mod repositories {}

#[doc = include_str!("../guide/per_call.md")]
pub mod per_call {}

#[doc = include_str!("../guide/outages.md")]
pub mod outages {}

#[doc = include_str!("../guide/transactions.md")]
pub mod transactions {}

#[doc = include_str!("../guide/deployments.md")]
pub mod deployments {}

#[doc = include_str!("../guide/testing.md")]
pub mod testing {}

#[doc = include_str!("../guide/sync_code.md")]
pub mod sync_code {}

#[doc = include_str!("../guide/migrating.md")]
pub mod migrating {}

#[doc = include_str!("../guide/costs.md")]
pub mod costs {}

#[doc = include_str!("../guide/faq.md")]
pub mod faq {}
