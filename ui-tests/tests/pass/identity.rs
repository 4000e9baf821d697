//! Values that distinguish two calls: hashed values, floats in them, foreign types, type parameters.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::marker::PhantomData;
use std::time::{Duration, SystemTime};

use cached_core::{CacheEvent, CacheKey, KeyIdentity, KeySegment, SegmentWriter, redis_cached, redis_invalidate};
use serde::Serialize;

#[derive(CacheKey)]
pub struct Filter<'a> {
    text: Cow<'a, str>,
    max_price: Option<f64>,
    area: Vec<(f32, f32)>,
    weights: HashMap<String, f64>,
    private: Private,
}

#[derive(CacheKey)]
struct Private(HashSet<u64>, BTreeSet<char>, BTreeMap<u8, [f64; 2]>);

#[redis_cached]
async fn default_key(filter: Filter<'_>, since: SystemTime, within: Duration) -> u64 {
    let _ = (filter, since, within);
    1
}

#[redis_cached(key = "all:<*>")]
async fn all(filter: &Filter<'_>, price: f64, prices: &[f32]) -> u64 {
    let _ = (filter, price, prices);
    1
}

#[redis_cached(key = "hash:<filter:hash>:<filter.max_price:hash>:<price:hash>", tags = "price:<price:hash>")]
async fn hash(filter: &Filter<'_>, price: f64) -> u64 {
    let _ = (filter, price);
    1
}

/// Its floats are hashed, so it can be in a key.
#[derive(CacheKey, Clone)]
struct Range<T> {
    #[cache_key(hash)]
    from: f64,
    #[cache_key(hash)]
    to: Option<T>,
}

#[redis_cached(key = "range:<range>:<wide>")]
async fn range(range: Range<f64>, wide: Range<u64>) -> u64 {
    let _ = (range, wide);
    1
}

/// Types that contain each other.
#[derive(CacheKey, Clone)]
enum Condition {
    Is(String),
    All(Vec<Clause>),
    Not(Option<Box<Clause>>),
}

#[derive(CacheKey, Clone)]
struct Clause {
    of: std::sync::Arc<Condition>,
    then: Option<Box<Clause>>,
    number: u64,
}

#[redis_cached(key = "clause:<clause>:<condition:hash>")]
async fn clause(clause: Clause, condition: &Condition) -> u64 {
    let _ = (clause, condition);
    1
}

/// Stands for a type of another crate.
#[derive(Serialize, Clone)]
pub struct Decimal(u64);

#[derive(CacheKey)]
struct Price<T, U, V> {
    #[cache_key(serde)]
    amount: T,
    #[cache_key(serde)]
    all: Vec<U>,
    currency: V,
    of: PhantomData<Decimal>,
}

#[derive(CacheKey)]
enum Bound<T> {
    Open,
    At(#[cache_key(serde)] T, #[cache_key(hash)] f64),
}

#[redis_cached(key = "priced:<price>:<bound>:<exact:serde>:<*>")]
async fn priced(price: Price<Decimal, Decimal, u64>, bound: Bound<Decimal>, exact: &Decimal, page: u64) -> u64 {
    let _ = (price, bound, exact);
    page
}

#[redis_cached(key = "only:<exact:serde>:<*>")]
async fn only(exact: Decimal) -> u64 {
    exact.0
}

#[redis_cached(key = "each:<id:serde>", batch = ids)]
async fn each(ids: &[u64]) -> HashMap<u64, u64> {
    ids.iter().map(|id| (*id, *id)).collect()
}

#[derive(CacheKey)]
enum Expression {
    Is(f64),
    And(Box<Self>, Box<Expression>),
    Any(Vec<Expression>),
}

#[redis_cached]
async fn evaluated(expression: &Expression) -> u64 {
    let _ = expression;
    1
}

#[derive(CacheKey)]
struct Tree<T> {
    value: T,
    children: Vec<Tree<T>>,
}

#[redis_cached(key = "tree:<T>:<tree>")]
async fn tree<T: KeySegment>(tree: &Tree<T>) -> usize {
    tree.children.len()
}

#[redis_cached]
async fn generic<T: KeyIdentity>(of: T, list: &[impl KeyIdentity]) -> usize {
    let _ = of;
    list.len()
}

struct ByHand(f64);

impl KeyIdentity for ByHand {
    fn write(&self, out: &mut SegmentWriter<'_>) {
        out.tuple(&[&self.0]);
    }
}

impl KeySegment for ByHand {}

#[redis_cached(key = "by_hand:<by_hand>")]
async fn by_hand(by_hand: ByHand) -> u64 {
    let _ = by_hand;
    1
}

#[derive(CacheEvent)]
struct Changed<T, U> {
    #[cache_key(hash)]
    range: T,
    #[cache_key(serde)]
    price: U,
    shop: u64,
}

#[redis_invalidate(Changed::<f64, Decimal> { range: 1.5, price, shop: 7 }, key = "only:<price:serde>:x", tag = "of:<price:serde>")]
async fn change(price: Decimal) {
    let _ = price;
}

fn main() {}
