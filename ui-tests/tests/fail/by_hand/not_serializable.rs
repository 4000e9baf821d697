use cached_core::Cache;

struct User {
    name: String,
}

async fn load() -> Result<User, std::io::Error> {
    Ok(User { name: String::new() })
}

async fn loaded(cache: &Cache) {
    let user = cache.entry("user:42").get_or_load(load).await;
    println!("{}", user.unwrap().name);
}

async fn set(cache: &Cache, user: &User) {
    cache.entry("user:42").set(user).await.unwrap();
}

fn main() {}
