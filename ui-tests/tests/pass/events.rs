//! Events: every way to derive one, to listen to one and to cause one.

#![deny(warnings)]

use cached_core::{CacheEvent, redis_cached, redis_invalidate};

#[derive(CacheEvent)]
struct UserUpdated {
    id: u64,
}

#[derive(CacheEvent)]
struct CatalogueReloaded;

#[derive(CacheEvent)]
#[event(name = "product.price-changed", emitted = "by hand", heard = "by hand")]
struct PriceChanged {
    product: u64,
    country: String,
}

// An event that borrows.
#[derive(CacheEvent)]
struct Renamed<'a> {
    name: &'a str,
}

// A generic event, which is named with its type.
#[derive(CacheEvent)]
struct Moved<T, const N: usize>
where
    T: Copy,
{
    from: T,
    r#type: [u8; 4],
}

#[derive(CacheEvent)]
struct Empty {}

mod events {
    #[derive(cached_core::CacheEvent)]
    pub struct Deleted {
        pub id: u64,
    }
}

use events::Deleted as Gone;

type Alias = events::Deleted;

struct User {
    id: u64,
    name: String,
}

#[redis_cached(key = "a:<id>", invalidate_on = UserUpdated { id })]
async fn shorthand(id: u64) -> u64 {
    id
}

// A reference to a field's type is cloned.
#[redis_cached(key = "b:<id>", invalidate_on = UserUpdated { id })]
async fn reference(id: &u64) -> u64 {
    *id
}

#[redis_cached(key = "c:<user.id>", skip(user), invalidate_on = UserUpdated { id: user.id })]
async fn field(user: &User) -> u64 {
    user.id
}

#[redis_cached(key = "d", invalidate_on = CatalogueReloaded)]
async fn unit() -> u64 {
    1
}

#[redis_cached(key = "e", invalidate_on = [CatalogueReloaded, UserUpdated { .. }, Empty {}, Gone { .. }, Alias { id: 1 }])]
async fn list() -> u64 {
    1
}

#[redis_cached(
    key = "f:<product>:<country>",
    invalidate_on = [
        PriceChanged { product, country: country.to_owned() },
        PriceChanged { product: product + 1, country: format!("{country}-{}", product) },
        events::Deleted { id: product },
        ::cached_core_events::Absolute { id: if product > 1 { 1 } else { 2 } },
    ],
)]
async fn paths(product: u64, country: &str) -> String {
    format!("{product}{country}")
}

// A dependency with another name.
extern crate self as cached_core_events;

#[derive(CacheEvent)]
pub struct Absolute {
    id: u64,
}

#[redis_cached(key = "g:<name>", invalidate_on = [Renamed { name }, Renamed { .. }])]
async fn borrowing(name: &str) -> String {
    name.to_owned()
}

#[redis_cached(key = "h:<from>", invalidate_on = [Moved::<u64, 1> { from, r#type: *b"moon" }, Moved::<u8, 2> { .. }])]
async fn generic(from: u64) -> u64 {
    from
}

#[redis_cached(key = "i:<T>:<name>", invalidate_on = Renamed { name: name.as_ref() })]
async fn in_generic<T: AsRef<str> + cached_core::KeySegment>(name: T) -> String {
    name.as_ref().to_owned()
}

// The body can use the arguments that the event used.
#[redis_cached(
    key = "j:<user.id>:<user.name>",
    skip(user),
    invalidate_on = [UserUpdated { id: user.id }, Renamed { name: &user.name }]
)]
async fn consumes(user: User) -> String {
    user.name
}

struct Repo {
    tenant: u64,
}

impl Repo {
    #[redis_cached(key = "k:<self.tenant>", invalidate_on = UserUpdated { id: self.tenant })]
    async fn method(&self) -> u64 {
        self.tenant
    }

    #[redis_cached(key = "l:<self.tenant>:<id>", tags = |row: &u64, id| [format!("row:{id}:{row}")])]
    async fn tagged(&self, id: u64) -> u64 {
        self.tenant + id
    }
}

// The closure of `tags` names arguments of every kind: owned, borrowed, `mut`, raw, bound by a pattern, generic, with a
// leading underscore, with a type or without.
#[redis_cached(
    key = "m:<*>",
    tags = |value: &String, user: &str, r#type, left: &u64, _more| [format!("{value}{user}{}{left}{}", r#type, _more.len())]
)]
async fn names<T>(user: &str, mut r#type: String, (left, right): (u64, u64), _more: Vec<T>) -> String
where
    T: cached_core::KeySegment + Clone + Send + Sync + 'static,
{
    r#type.push_str(user);
    format!("{type}{left}{right}")
}

#[redis_cached(key = "n:<ids>", tags = ["all", |_: &u64, ids: &[u64], name, last| tags(ids, name, last)], skip(name, last), uncommitted = "allow")]
async fn borrowed(ids: &[u64], name: &&'static str, last: &mut u64) -> u64 {
    *last += 1;
    ids.len() as u64
}

// Events by some of their fields, which the event declares in any order.
#[derive(CacheEvent)]
#[event(by(tenant), by(tenant & r#type))]
#[event(by(email & name))]
struct Member<'a, T> {
    id: u64,
    tenant: T,
    r#type: String,
    #[cache_key(hash)]
    email: &'a str,
    #[cache_key(serde)]
    name: Vec<String>,
}

impl<T> Drop for Member<'_, T> {
    fn drop(&mut self) {}
}

#[redis_cached(
    key = "o:<tenant>:<kind>:<email>",
    invalidate_on = [
        Member::<u64> { tenant, .. },
        Member::<u64> { r#type: kind.to_owned(), tenant: tenant + 1, .. },
        Member::<u8> { name: vec![email.to_owned()], email, .. },
        Member::<u8> { .. },
    ]
)]
async fn some_fields(tenant: u64, kind: &str, email: &str) -> String {
    format!("{tenant}{kind}{email}")
}

#[redis_cached(key = "p:<tenant>:<id>", batch = ids, invalidate_on = Posted { tenant, .. })]
async fn batch(tenant: u64, ids: &[u64]) -> std::collections::HashMap<u64, u64> {
    ids.iter().map(|id| (*id, tenant)).collect()
}

#[redis_cached(key = "q:<id>", batch = ids, invalidate_on = Posted { id, .. })]
async fn batch_of_elements(ids: &[u64]) -> std::collections::HashMap<u64, u64> {
    ids.iter().map(|id| (*id, *id)).collect()
}

#[derive(CacheEvent)]
#[event(by(id), by(tenant))]
struct Posted {
    tenant: u64,
    id: u64,
    text: String,
}

// The user's code sees none of our constants.
const FORM: u8 = 7;

#[redis_cached(key = "r:<id>", invalidate_on = Posted { id: id + u64::from(FORM), .. })]
async fn with_constant(id: u64) -> u64 {
    id
}

fn tags(ids: &[u64], name: &str, last: &u64) -> Vec<String> {
    ids.iter().chain([last]).map(|id| format!("{name}:{id}")).collect()
}

#[redis_invalidate(
    UserUpdated { id: user.id },
    CatalogueReloaded,
    Empty {},
    events::Deleted { id: user.id },
    Gone { id: 1 },
    Moved::<u64, 3> { from: 1, r#type: [0; 4] },
    Renamed { name: &user.name },
)]
async fn emits(user: &User) {
    drop(user.name.clone());
}

fn main() {
    assert_eq!(UserUpdated::NAME, "UserUpdated");
    assert_eq!(PriceChanged::NAME, "product.price-changed");
    assert_eq!(PriceChanged::FIELDS, ["product", "country"]);
    assert_eq!(Moved::<u64, 1>::FIELDS, ["from", "type"]);
    assert_eq!(Posted::BY, [["id"], ["tenant"]]);
    assert_eq!(Member::<u8>::BY, [&["tenant"][..], &["tenant", "type"], &["email", "name"]]);
    assert_eq!(Empty {}.with_segments(|segments| segments.len()), 0);
    assert_eq!(Renamed { name: "a" }.with_segments(|segments| segments.len()), 1);
}
