use cached_core::redis_cached;

struct DbError;

#[redis_cached]
async fn text(id: u64) -> Result<&'static str, DbError> {
    if id == 0 { Err(DbError) } else { Ok("x") }
}

#[redis_cached(skip(ids))]
async fn slice(ids: &[u64]) -> Option<&[u64]> {
    Some(ids)
}

#[redis_cached]
async fn nested(id: u64) -> Result<Vec<(u64, &'static str)>, &'static str> {
    if id == 0 { Err("zero") } else { Ok(vec![(1, "x")]) }
}

#[redis_cached(skip(pair))]
async fn tuple(pair: &(u8, u8)) -> &(u8, u8) {
    pair
}

#[redis_cached(skip(object))]
async fn object(object: &dyn ToString) -> &dyn ToString {
    object
}

fn main() {}
