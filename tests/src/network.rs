//! A network that stands still without notice, or is slow.

use crate::RedisServer;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, watch};
use tokio::task::{AbortHandle, JoinSet};
use tokio::time::Instant;

/// A connection on which this text is sent belongs to the near cache.
const TRACKING: &[u8] = b"TRACKING";

/// The fate of the bytes of one direction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pass {
    /// They arrive.
    AtOnce,
    /// They arrive this much later.
    After(Duration),
    /// None arrives, without notice. They do when the network resumes, as with TCP.
    Never,
}

/// Passes on what it is sent; ended when dropped. It never closes connections.
#[derive(Debug)]
pub struct Network {
    address: SocketAddr,
    up: watch::Sender<Pass>,
    down: watch::Sender<Pass>,
    /// Connections that were made before the last of these cuts are forgotten.
    forgotten: Arc<AtomicU64>,
    accepting: AbortHandle,
}

impl Network {
    /// A way to this server on which only the connections of near caches are disturbed, from the moment at which they
    /// ask to be notified of changes.
    ///
    /// # Panics
    /// When the system has no port for it.
    pub async fn of_news_to(server: &RedisServer) -> Self {
        Self::start(server, false).await
    }

    /// A way to this server on which all connections are disturbed.
    ///
    /// # Panics
    /// When the system has no port for it.
    pub async fn to(server: &RedisServer) -> Self {
        Self::start(server, true).await
    }

    async fn start(server: &RedisServer, disturbs_all: bool) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("no free port");
        let address = listener.local_addr().expect("a bound socket has an address");
        let ((up, of_up), (down, of_down)) = (watch::channel(Pass::AtOnce), watch::channel(Pass::AtOnce));
        let forgotten = Arc::new(AtomicU64::new(0));
        let (port, cuts) = (server.port(), Arc::clone(&forgotten));
        let accepting = tokio::spawn(async move {
            // The connections end when this task is dropped.
            let mut connections = JoinSet::new();
            while let Ok((client, _)) = listener.accept().await {
                let (of_up, of_down) = (of_up.clone(), of_down.clone());
                let made = Made {
                    cuts: Arc::clone(&cuts),
                    at: cuts.load(Ordering::SeqCst),
                    is_disturbed: Arc::new(AtomicBool::new(disturbs_all)),
                };
                connections.spawn(async move {
                    let Ok(server) = TcpStream::connect(("127.0.0.1", port)).await else { return };
                    let _ = (client.set_nodelay(true), server.set_nodelay(true));
                    let (from_client, to_client) = client.into_split();
                    let (from_server, to_server) = server.into_split();
                    let up = pump(from_client, to_server, of_up, made.clone());
                    let down = pump(from_server, to_client, of_down, made);
                    tokio::join!(up, down);
                });
            }
        });
        Self { address, up, down, forgotten, accepting: accepting.abort_handle() }
    }

    /// `redis://127.0.0.1:port/`
    #[must_use]
    pub fn url(&self) -> String {
        format!("redis://{}/", self.address)
    }

    /// From now on, this happens to what the server is sent.
    pub fn up(&self, pass: Pass) {
        self.up.send_replace(pass);
    }

    /// Nothing more arrives of what is sent on the existing connections, for good and without notice; new ones are not
    /// affected. A firewall that was restarted does the same.
    pub fn forget(&self) {
        self.forgotten.fetch_add(1, Ordering::SeqCst);
    }

    /// From now on, this happens to what the server sends.
    pub fn down(&self, pass: Pass) {
        self.down.send_replace(pass);
    }
}

impl Drop for Network {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

/// A connection.
#[derive(Debug, Clone)]
struct Made {
    cuts: Arc<AtomicU64>,
    at: u64,
    is_disturbed: Arc<AtomicBool>,
}

impl Made {
    fn is_disturbed(&self) -> bool {
        self.is_disturbed.load(Ordering::SeqCst)
    }

    fn is_forgotten(&self) -> bool {
        self.is_disturbed() && self.cuts.load(Ordering::SeqCst) != self.at
    }
}

async fn pump(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, mut pass: watch::Receiver<Pass>, made: Made) {
    let (send, mut under_way) = mpsc::unbounded_channel::<(Instant, Vec<u8>)>();
    let taken_up = async {
        let mut bytes = vec![0; 1 << 16];
        while let Ok(read) = from.read(&mut bytes).await
            && read > 0
        {
            // A client sends the command in one piece.
            if bytes[..read].windows(TRACKING.len()).any(|window| window == TRACKING) {
                made.is_disturbed.store(true, Ordering::SeqCst);
            }
            let _ = send.send((Instant::now(), bytes[..read].to_vec()));
        }
        // The end of a connection arrives like everything else.
        drop(send);
    };
    let delivered = async {
        loop {
            let next = under_way.recv().await;
            if made.is_disturbed() {
                let now = *pass.borrow();
                if let (Pass::After(delay), Some((since, _))) = (now, &next) {
                    tokio::time::sleep_until(*since + delay).await;
                }
                // Bytes that are under way when the network stands still do not arrive either.
                if pass.wait_for(|pass| *pass != Pass::Never).await.is_err() {
                    return;
                }
            }
            if made.is_forgotten() {
                std::future::pending::<()>().await;
            }
            let Some((_, bytes)) = next else { break };
            if to.write_all(&bytes).await.is_err() {
                return;
            }
        }
        let _ = to.shutdown().await;
    };
    tokio::join!(taken_up, delivered);
}
