#![allow(unused)]

use cached_core::CacheEvent;

#[derive(CacheEvent)]
#[event(by(tenat))]
struct Misspelt {
    tenant: u64,
    id: u64,
}

#[derive(CacheEvent)]
#[event(by(tenant))]
struct NoFields;

#[derive(CacheEvent)]
#[event(by())]
struct Empty {
    tenant: u64,
    id: u64,
}

#[derive(CacheEvent)]
#[event(by)]
struct NoList {
    tenant: u64,
    id: u64,
}

#[derive(CacheEvent)]
#[event(by = tenant)]
struct NoParentheses {
    tenant: u64,
    id: u64,
}

#[derive(CacheEvent)]
#[event(by("tenant"))]
struct Text {
    tenant: u64,
    id: u64,
}

#[derive(CacheEvent)]
#[event(by(tenant & country), by(country & tenant))]
struct TwiceTheSame {
    tenant: u64,
    country: u64,
    id: u64,
}

#[derive(CacheEvent)]
#[event(by(tenant & tenant))]
struct FieldTwice {
    tenant: u64,
    id: u64,
}

#[derive(CacheEvent)]
#[event(by(id & tenant))]
struct AllFields {
    tenant: u64,
    id: u64,
}

#[derive(CacheEvent)]
#[event(by(a), by(b), by(c), by(d), by(a & b), by(a & c), by(a & d), by(b & c), by(b & d))]
struct TooMany {
    a: u64,
    b: u64,
    c: u64,
    d: u64,
}

#[derive(CacheEvent)]
#[event(by(tenant, country))]
struct Comma {
    tenant: u64,
    country: u64,
    id: u64,
}

fn main() {}
