//! Everything that may be in the body of an async function.

#![deny(warnings)]

use cached_core::redis_cached;

#[redis_cached(key = "items:<id>")]
async fn items(id: u64) -> u64 {
    use std::ops::Add;

    const OFFSET: u64 = 1;
    static LIMIT: u64 = 10;

    #[derive(Clone, Copy)]
    struct Number(u64);

    impl Add for Number {
        type Output = Self;

        fn add(self, other: Self) -> Self {
            Self(self.0 + other.0)
        }
    }

    fn twice(number: Number) -> Number {
        number.add(number)
    }

    macro_rules! limited {
        ($number:expr) => {
            $number.min(LIMIT)
        };
    }

    #[redis_cached(key = "inner:<id>")]
    async fn inner(id: u64) -> u64 {
        id
    }

    limited!(twice(Number(id)).0 + OFFSET + inner(id).await)
}

#[redis_cached]
async fn flow(ids: Vec<u64>) -> Result<Option<u64>, String> {
    let Some(first) = ids.first() else {
        return Ok(None);
    };
    let found = 'search: {
        for id in &ids {
            if id > first {
                break 'search Some(*id);
            }
        }
        None
    };
    let sum = 'outer: loop {
        let mut sum = 0;
        for id in &ids {
            match id {
                0 => break 'outer 0,
                1 => continue,
                id => sum += id,
            }
        }
        break sum;
    };
    if sum == 0 {
        return Err("zero".to_owned());
    }
    Ok(found.map(|found| found + sum))
}

// A `return` or `?` inside of a closure or a block leaves only that.
#[redis_cached]
async fn inside(id: u64) -> Result<String, std::fmt::Error> {
    let closure = |number: u64| -> Option<u64> {
        if number == 0 {
            return None;
        }
        number.checked_sub(1)?.checked_sub(1)
    };
    let block = async {
        let number = closure(id).ok_or(std::fmt::Error)?;
        if number > 5 {
            return Err(std::fmt::Error);
        }
        Ok(number)
    };
    Ok(block.await?.to_string())
}

#[redis_cached]
async fn diverges(id: u64) -> u64 {
    if id > 0 {
        panic!("{id}");
    }
    std::process::exit(1)
}

#[redis_cached]
async fn one_expression(id: u64) -> u64 {
    if id > 1 { id } else { 1 }
}

#[redis_cached]
async fn returns_at_the_end(id: u64) -> u64 {
    return id;
}

fn main() {
    drop(items(1));
    drop(flow(vec![1]));
    drop(inside(1));
    drop(diverges(1));
    drop(one_expression(1));
    drop(returns_at_the_end(1));
}
