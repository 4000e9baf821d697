//! A process that begins to write rows and never ends.

use std::io::Write;
use std::sync::Arc;
use std::time::Duration;
use tests::Row;
use tokio::sync::Barrier;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [url, rows, marker_ms] = arguments.as_slice() else { return Err("usage: writer URL ROWS MARKER_MS".into()) };
    let marker = Duration::from_millis(marker_ms.parse()?);
    let cache = cached_core::Cache::builder()
        .namespace("cache")
        .redis(url)
        .write_marker_ttl(marker)
        .budget(Duration::from_secs(5))
        .build()?;
    let rows: u64 = rows.parse()?;
    let all_have_begun = Arc::new(Barrier::new(usize::try_from(rows)? + 1));
    let mut writes = tokio::task::JoinSet::new();
    for id in 0..rows {
        let (cache, all_have_begun) = (cache.clone(), Arc::clone(&all_have_begun));
        writes.spawn(async move {
            let body = async {
                all_have_begun.wait().await;
                // The test stands for the commit. This process does not live to see the end.
                std::future::pending::<()>().await;
            };
            cache.try_write(Row::new(id).way(id), body).await.map(drop)
        });
    }
    all_have_begun.wait().await;
    println!("begun");
    std::io::stdout().flush()?;
    while let Some(ended) = writes.join_next().await {
        ended??;
    }
    Ok(())
}
