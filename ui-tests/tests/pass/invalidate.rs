//! `#[redis_invalidate]` on everything that `#[redis_cached]` goes on, and on what returns nothing.

#![deny(warnings)]

use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;

use cached_core::{Cache, CacheError, CacheEvent, redis_invalidate};

#[derive(CacheEvent)]
struct UserUpdated {
    id: u64,
}

#[derive(CacheEvent)]
struct OrderPlaced {
    user: u64,
    order: u64,
}

#[derive(CacheEvent)]
struct Renamed {
    name: String,
}

#[derive(CacheEvent)]
struct Both {
    name: String,
    ret: String,
}

#[derive(Debug)]
struct User {
    id: u64,
    tenant: String,
}

struct Order {
    id: u64,
    lines: Vec<u64>,
}

#[derive(Debug)]
enum Fault {
    Cache(CacheError),
    None,
}

impl From<CacheError> for Fault {
    fn from(error: CacheError) -> Self {
        Self::Cache(error)
    }
}

// Return types of a write.

#[redis_invalidate(UserUpdated { id: user.id })]
async fn nothing(user: &User) {
    drop(user.tenant.clone());
}

#[redis_invalidate(UserUpdated { id })]
async fn unit(id: u64) -> () {
    if id == 0 {
        return;
    }
    let _ = id;
}

#[redis_invalidate(UserUpdated { id })]
async fn value(id: u64) -> u64 {
    id
}

#[redis_invalidate(UserUpdated { id: user.id })]
async fn question_mark(user: &User) -> Result<(), Fault> {
    Err(if user.id == 0 { Fault::None } else { None.ok_or(Fault::None)? })
}

#[redis_invalidate(key = "user:<user.id>")]
async fn borrowed(user: &User) -> &str {
    &user.tenant
}

#[redis_invalidate(tag = "tenant:<tenant>")]
async fn unnameable(tenant: &str) -> Result<impl Iterator<Item = char> + use<>, Fault> {
    if tenant.is_empty() {
        Err(Fault::None)?;
    }
    Ok(tenant.to_owned().into_bytes().into_iter().map(char::from))
}

#[redis_invalidate(tag = "tenant:<id>")]
async fn diverges(id: u64) -> u64 {
    unreachable!("{id}")
}

#[redis_invalidate(key = "a")]
async fn not_serializable() -> Rc<u64> {
    Rc::new(1)
}

// All options.

#[redis_invalidate(
    UserUpdated { id: user.id },
    key = "user:<user.id>",
    key = "user:<user.id>:<user.tenant:hash>",
    key = "{<user.tenant>}:all",
    tag = "tenant:<user.tenant>",
    tag = "users",
    mode = "bracket",
    on_unavailable = "fail",
    cache = cache,
    crate = ::cached_core,
)]
async fn all_options(user: &User, cache: &Cache) -> Result<u64, Fault> {
    let _ = cache;
    Ok(user.id)
}

#[redis_invalidate(UserUpdated { id }, mode = "after", on_unavailable = "proceed")]
async fn after(id: u64) -> Result<(), Fault> {
    Err(Fault::None).or(if id == 0 { Ok(()) } else { Err(Fault::None) })
}

// `ret`, and arguments that the body consumes.

#[redis_invalidate(OrderPlaced { user: user.id, order: ret.id }, mode = "after")]
async fn moved(user: User, lines: Vec<u64>) -> Result<Order, Fault> {
    let User { id, tenant } = user;
    drop(tenant);
    Ok(Order { id, lines })
}

#[redis_invalidate(
    OrderPlaced { user, order: ret.id },
    OrderPlaced { user: ret.lines.iter().sum(), order: { user } },
    UserUpdated { id: user },
    key = "order:<ret.id>",
    key = "order:<user>:<tenant:hash>:<ret.id>:<ret.lines:hash>",
    tag = "<tenant>:<ret.id>",
    tag = "tenant:<tenant>",
    mode = "after",
)]
async fn mixed(user: u64, tenant: String) -> Result<Order, Fault> {
    drop(tenant);
    Ok(Order { id: user, lines: vec![] })
}

// A field may consume an argument that templates borrow.
#[redis_invalidate(Renamed { name }, Renamed { name: name }, key = "user:<name>", tag = "<name:hash>")]
async fn consumed_by_the_event(name: String) {}

#[redis_invalidate(Renamed { name: name + ret }, Both { name, ret: ret.clone() }, key = "<name>:<ret>", mode = "after")]
async fn consumed_after(name: String) -> String {
    String::new()
}

#[redis_invalidate(UserUpdated { id: *ret }, key = "n:<ret>", mode = "after")]
async fn no_result(text: &str) -> u64 {
    text.len() as u64
}

#[redis_invalidate(UserUpdated { id: ret.as_ref().map_or(0, |user| user.id) }, mode = "after")]
async fn an_option(user: Option<User>) -> Option<User> {
    user
}

#[redis_invalidate(UserUpdated { id: format!("{}{ret}", 1).len() as u64 }, mode = "after")]
async fn in_a_macro() -> Result<u64, ()> {
    Ok(1)
}

#[redis_invalidate(UserUpdated { id: ret }, key = "r:<ret>")]
async fn an_argument_named_ret(ret: u64) -> String {
    ret.to_string()
}

#[redis_invalidate(UserUpdated { id: ret.id }, mode = "after")]
async fn an_argument_named_ret_after(ret: User) -> String {
    ret.tenant
}

#[redis_invalidate(OrderPlaced { user: 1, order: user.ret }, mode = "bracket")]
async fn a_field_named_ret(user: &Ret) -> u64 {
    user.ret
}

struct Ret {
    ret: u64,
}

// Arguments.

#[redis_invalidate(UserUpdated { id }, key = "<a>:<w>")]
async fn patterns(User { id, .. }: User, (a, mut b): (u64, u64), [w, _]: [u8; 2], _: u8) -> u64 {
    b += a;
    b + id + u64::from(w)
}

#[redis_invalidate(UserUpdated { id }, uncommitted = "allow")]
async fn mutable(mut id: u64, out: &mut Vec<u64>) -> usize {
    id += 1;
    out.push(id);
    out.len()
}

#[redis_invalidate(UserUpdated { id: id.clone().into() }, key = "<T>:<N>")]
async fn generic<T, const N: usize>(id: T, f: impl Fn(&T) -> u64) -> u64
where
    T: Into<u64> + Clone,
{
    f(&id)
}

#[redis_invalidate(UserUpdated { id: r#type }, key = "<type>")]
async fn raw(r#type: u64) -> u64 {
    r#type
}

// Receivers.

struct Repo {
    tenant: u64,
    cache: Cache,
}

impl Repo {
    #[redis_invalidate(UserUpdated { id: self.tenant }, key = "<self.tenant>:<id>", cache = self.cache)]
    async fn by_ref(&self, id: u64) -> Result<Self, Fault> {
        let _ = id;
        Err(Fault::None)
    }

    #[redis_invalidate(UserUpdated { id: self.tenant })]
    async fn by_mut(&mut self) {
        self.tenant += 1;
    }

    #[redis_invalidate(OrderPlaced { user: self.tenant, order: *ret }, cache = self.cache, mode = "after")]
    async fn by_value(self) -> u64 {
        drop(self);
        1
    }

    #[redis_invalidate(UserUpdated { id: self.tenant })]
    async fn by_arc(self: Arc<Self>) -> u64 {
        self.tenant
    }

    #[redis_invalidate(UserUpdated { id: self.tenant })]
    async fn by_pin(self: Pin<&mut Self>) -> u64 {
        self.tenant
    }
}

trait Users {
    async fn native(&self, id: u64) -> Result<(), Fault>;

    #[redis_invalidate(UserUpdated { id })]
    async fn default_method(&self, id: u64) {
        let _ = id;
    }
}

impl Users for Repo {
    #[redis_invalidate(UserUpdated { id })]
    async fn native(&self, id: u64) -> Result<(), Fault> {
        if self.tenant == id { Ok(()) } else { Err(Fault::None) }
    }
}

// The caller must still uphold the contract.
#[redis_invalidate(UserUpdated { id })]
async unsafe fn unsafe_one(id: u64) -> u64 {
    id
}

#[redis_invalidate(UserUpdated { id })]
async fn recursive(id: u64) -> u64 {
    if id == 0 { 0 } else { Box::pin(recursive(id - 1)).await }
}

fn main() {
    fn send<T: Send>(_: T) {}
    let user = User { id: 1, tenant: String::new() };
    send(nothing(&user));
    send(question_mark(&user));
    send(after(1));
    send(mixed(1, String::new()));
    send(moved(User { id: 1, tenant: String::new() }, vec![]));
    send(Repo { tenant: 1, cache: Cache::memory() }.by_value());
    drop(not_serializable());
}
