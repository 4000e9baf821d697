use cached_core::Cache;
use std::rc::Rc;

async fn load(name: Rc<str>) -> Result<String, std::io::Error> {
    std::future::ready(()).await;
    Ok(name.to_string())
}

async fn spawned(cache: &Cache) {
    let name: Rc<str> = Rc::from("Ada");
    let user = cache.entry("user:42").spawn().get_or_load(|| load(name)).await;
    println!("{}", user.unwrap());
}

fn main() {}
