//! The key can and must name what patterns bind.

use cached_core::redis_cached;

struct Path<T>(T);

struct Filter {
    lang: String,
    size: [u32; 2],
    #[allow(dead_code)]
    rest: u8,
}

#[redis_cached(key = "user:<id>")]
async fn tuple_struct(Path(id): Path<u64>) -> u64 {
    id
}

#[redis_cached(key = "x:<a>:<b>", skip(c))]
async fn tuple((a, (b, mut c)): (u64, (u64, u64)), _: u8) -> u64 {
    c += a;
    b + c
}

// The key need not name what the pattern leaves out.
#[redis_cached(key = "y:<lang>:<w>:<height>")]
async fn structure(Filter { lang, size: [w, height], .. }: Filter) -> u64 {
    lang.len() as u64 + u64::from(w) + u64::from(height)
}

#[redis_cached(key = "z:<id>")]
async fn reference(&id: &u64) -> u64 {
    id
}

#[redis_cached(key = "w:<whole:hash>:<first>:<second>")]
async fn whole(whole @ [first, second]: [u64; 2]) -> u64 {
    whole[0] + first + second
}

#[redis_cached]
async fn default_key(Path((a, b)): Path<(u64, u64)>) -> u64 {
    a + b
}

fn main() {}
