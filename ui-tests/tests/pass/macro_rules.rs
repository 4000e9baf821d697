//! Attributes inside of `macro_rules!`, with fragments as values.

use cached_core::{CacheEvent, redis_cached, redis_invalidate, redis_put};

macro_rules! cached {
    ($name:ident, $key:literal, $ttl:expr, $check:expr, $ty:ty, |$arg:ident| $body:expr) => {
        #[redis_cached(key = $key, ttl = $ttl, cache_if = $check)]
        async fn $name($arg: u64) -> $ty {
            $body
        }
    };
}

cached!(one, "one:<id>", "5m", |value: &u64| *value > 0, u64, |id| id + 1);
cached!(two, "two:<n>", |_: &String| std::time::Duration::from_secs(1), |_: &String| true, Result<String, u8>, |n| {
    let text = n.to_string();
    if text.is_empty() { return Err(1) }
    Ok(text)
});

// Every fragment arrives in an invisible group.
macro_rules! whole {
    ($vis:vis fn $name:ident($arg:ident: $arg_ty:ty) -> $ty:ty, $key:literal, $version:expr, $body:block) => {
        #[redis_cached(key = $key, version = $version, jitter = 0.5, skip($arg))]
        $vis async fn $name($arg: $arg_ty) -> $ty $body
    };
}

whole!(pub fn three(id: &[u64]) -> Result<Option<usize>, String>, "three", 2, {
    if id.is_empty() {
        return Err("none".to_owned());
    }
    Ok(Some(id.len()))
});

macro_rules! nested {
    ($name:ident, $inner:ty, $error:ty, $body:block) => {
        whole!(fn $name(_n: $inner) -> Result<$inner, $error>, "nested", 1, $body);
    };
}

nested!(four, (u64, u64), &'static str, { Ok((1, 2)) });

struct Repo(u64);

macro_rules! method {
    ($name:ident, $t:ty, $field:expr, $body:block) => {
        impl Repo {
            #[redis_cached(key = "repo:<self.0>:<a>", ttl = $field)]
            async fn $name(&self, a: $t) -> $t $body
        }
    };
}

method!(five, u8, std::time::Duration::from_secs(5), { 1 });

// Everything comes from the macro, even the names of the arguments and the template.
macro_rules! all_of_it {
    ($($name:ident)*) => {
        $(
            #[redis_cached(key = "all:<id>:<page.0>", skip(db))]
            async fn $name(db: &str, id: u64, page: (u64,)) -> Result<u64, String> {
                if db.is_empty() {
                    return Err(db.to_owned());
                }
                Ok(id + page.0)
            }
        )*
    };
}

all_of_it!(six seven);

// The attribute itself is a fragment.
macro_rules! attributes {
    ($(#[$attribute:meta])* async fn $($function:tt)*) => {
        $(#[$attribute])*
        async fn $($function)*
    };
}

attributes! {
    /// Kept.
    #[redis_cached(key = "eight:<id>", ttl = "5m")]
    async fn eight(id: u64) -> u64 {
        id
    }
}

mod events {
    #[derive(cached_core::CacheEvent)]
    pub struct Reloaded;
}

macro_rules! event {
    ($name:ident { $($field:ident: $ty:ty),* }) => {
        #[derive(CacheEvent)]
        struct $name {
            $($field: $ty),*
        }
    };
}

event!(Updated { id: u64 });
event!(Pair { left: u64, right: u64 });

// Events as fragments of every kind.
macro_rules! writes {
    ($name:ident, $event:expr, $unit:path, $ty:ident, $field:ident, $value:expr, $key:literal, $mode:expr, |$arg:ident| $body:block) => {
        #[redis_invalidate($event, $unit, $ty { $field: $value }, $ty { $field: $arg }, key = $key, mode = $mode)]
        async fn $name($arg: u64) -> u64 $body
    };
}

writes!(nine, Updated { id: 1 }, events::Reloaded, Updated, id, 2 + 3, "nine:<n>", "after", |n| { n + 1 });

macro_rules! listens {
    ($name:ident, $event:expr, $tag:literal, $tags_of:expr, |$arg:ident| $body:block) => {
        #[redis_cached(key = "listens:<id>", invalidate_on = [$event, $crate::events::Reloaded, Updated { id }],
            tags = [$tag, $tags_of], skip($arg))]
        async fn $name($arg: u64, id: u64) -> u64 $body

        #[redis_cached(key = "listens", invalidate_on = $event, tags = $tag, skip($arg))]
        async fn any($arg: u64) -> u64 $body
    };
}

listens!(ten, Updated { .. }, "<n>", |value: &u64| [value.to_string()], |n| { n });

// `ret` may come from the macro or from its caller.
macro_rules! returned {
    ($name:ident, $value:expr) => {
        #[redis_invalidate(Updated { id: *ret }, Pair { left: id, right: $value }, key = "<ret>", mode = "after")]
        async fn $name(id: u64) -> Result<u64, String> {
            Ok(id)
        }
    };
}

returned!(eleven, *ret + 1);

macro_rules! puts {
    ($name:ident, $key:literal, $event:expr, $ty:ty, $ttl:expr, |$arg:ident| $body:expr) => {
        #[redis_put($event, key = $key, ttl = $ttl)]
        async fn $name($arg: u64) -> $ty {
            $body
        }
    };
}

puts!(twelve, "twelve:<n>", Updated { id: n }, Option<u64>, std::time::Duration::from_secs(n), |n| Some(n));

// A key that is made of the macro's own fragments.
macro_rules! table {
    ($name:ident, $prefix:literal) => {
        #[redis_cached(key = concat!($prefix, ":", stringify!($name), ":<id>"), tags = concat!($prefix, 's'))]
        async fn $name(id: u64) -> u64 {
            id
        }
    };
}

table!(thirteen, "row");

#[redis_invalidate(key = core::concat!(concat!("row", 1), ":<id>"), tag = ::std::concat!("rows",))]
async fn fourteen(id: u64) {
    let _ = id;
}

fn main() {
    drop(thirteen(1));
    drop(fourteen(1));
    drop(nine(1));
    drop(ten(1, 2));
    drop(any(1));
    drop(eleven(1));
    drop(twelve(1));
    drop(six("", 1, (1,)));
    drop(seven("", 1, (1,)));
    drop(eight(1));
    drop(three(&[1]));
    drop(four((1, 2)));
    drop(Repo(1).five(1));
    drop(one(1));
    drop(two(1));
}
