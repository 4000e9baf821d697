//! Stores and reads a value on the server that its argument names, and one through the near cache. Fails if it cannot.

use cached_core::Cache;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let url = std::env::args().nth(1).ok_or("usage: over_tls URL")?;
    let cache = Cache::builder().namespace("cache").redis(url).budget(std::time::Duration::from_secs(2)).build()?;
    cache.entry("k").set(&"over TLS".to_owned()).await?;
    let value: Option<String> = cache.entry("k").get().await;
    if value.as_deref() != Some("over TLS") {
        return Err(format!("read {value:?}").into());
    }
    tests::KeptRows::new(2).warm(&cache, tests::Way::Shared, 1).await;
    Ok(())
}
