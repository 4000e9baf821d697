use cached_core::CacheKey;

#[derive(CacheKey)]
struct Price(f64);

#[derive(CacheKey)]
struct Point {
    x: i32,
    y: f32,
}

#[derive(CacheKey)]
enum Range {
    All,
    Upto(u8, f64),
}

fn main() {}
