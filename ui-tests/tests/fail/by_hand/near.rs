use cached_core::Cache;
use std::time::Duration;

#[derive(serde::Serialize, serde::Deserialize)]
struct User {
    name: String,
}

async fn load() -> Result<User, std::io::Error> {
    Ok(User { name: String::new() })
}

async fn kept(cache: &Cache) {
    let user = cache.entry("user:42").near(Duration::from_secs(30)).get_or_load(load).await;
    println!("{}", user.unwrap().name);
}

fn main() {}
