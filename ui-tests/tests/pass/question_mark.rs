//! `?`, early returns and conversions of errors, as in any async function.

use std::num::ParseIntError;

use cached_core::redis_cached;

#[derive(Debug)]
enum Error {
    Parse(ParseIntError),
    Boxed(Box<dyn std::error::Error + Send + Sync>),
}

impl From<ParseIntError> for Error {
    fn from(error: ParseIntError) -> Self {
        Self::Parse(error)
    }
}

impl From<Box<dyn std::error::Error + Send + Sync>> for Error {
    fn from(error: Box<dyn std::error::Error + Send + Sync>) -> Self {
        Self::Boxed(error)
    }
}

#[redis_cached]
async fn find(text: &str) -> Result<Option<u64>, Error> {
    if text.is_empty() {
        return Ok(None);
    }
    let number: u64 = text.parse()?;
    if number == 0 {
        Err(Box::<dyn std::error::Error + Send + Sync>::from("zero"))?;
    }
    Ok(Some(number))
}

#[redis_cached]
async fn maybe(text: &str) -> Option<u64> {
    text.chars().next()?.to_digit(10).map(u64::from)
}

#[redis_cached]
async fn inferred(id: u64) -> Vec<u64> {
    (0..id).collect()
}

#[redis_cached]
async fn coerced(id: u64) -> Result<String, Box<dyn std::error::Error>> {
    match id {
        0 => Err("zero".into()),
        _ => Ok(Default::default()),
    }
}

fn main() {}
