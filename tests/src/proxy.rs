//! A way to a server that can break on demand, and that can be led to another server.

use crate::RedisServer;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU16, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{AbortHandle, JoinSet};

/// Passes on what it is sent, on connections of its own; ended when dropped.
#[derive(Debug)]
pub struct Proxy {
    address: SocketAddr,
    /// Where new connections lead.
    port: Arc<AtomicU16>,
    accepted: Arc<AtomicUsize>,
    cut_at: Cut,
    accepting: AbortHandle,
}

type Cut = Arc<Mutex<Option<Vec<u8>>>>;

impl Proxy {
    /// A way to this server.
    ///
    /// # Panics
    /// When the system has no port for it.
    pub async fn to(server: &RedisServer) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("no free port");
        let address = listener.local_addr().expect("a bound socket has an address");
        let (port, accepted, cut_at) =
            (Arc::new(AtomicU16::new(server.port())), Arc::<AtomicUsize>::default(), Cut::default());
        let (to, count, cut) = (Arc::clone(&port), Arc::clone(&accepted), Arc::clone(&cut_at));
        let accepting = tokio::spawn(async move {
            // The connections end when this task is dropped.
            let mut connections = JoinSet::new();
            while let Ok((client, _)) = listener.accept().await {
                let (cut, port) = (Arc::clone(&cut), to.load(Ordering::SeqCst));
                count.fetch_add(1, Ordering::SeqCst);
                connections.spawn(async move {
                    if let Ok(server) = TcpStream::connect(("127.0.0.1", port)).await {
                        // It ends when either side is gone.
                        let _ = pass(client, server, &cut).await;
                    }
                });
            }
        });
        Self { address, port, accepted, cut_at, accepting: accepting.abort_handle() }
    }

    /// `redis://127.0.0.1:port/`
    #[must_use]
    pub fn url(&self) -> String {
        format!("redis://{}/", self.address)
    }

    /// From now on, new connections lead to this server, as when a name moves to another address. Existing connections
    /// stay.
    pub fn leads_to(&self, server: &RedisServer) {
        self.leads_to_port(server.port());
    }

    /// Like [`leads_to`](Self::leads_to), by the server's port.
    pub fn leads_to_port(&self, port: u16) {
        self.port.store(port, Ordering::SeqCst);
    }

    /// The number of connections that have been made.
    #[must_use]
    pub fn accepted(&self) -> usize {
        self.accepted.load(Ordering::SeqCst)
    }

    /// Breaks the next connection that sends `text`, once: the server receives it, and its answer is dropped.
    pub fn cut_at(&self, text: &str) {
        *self.cut_at.lock().unwrap_or_else(PoisonError::into_inner) = Some(text.as_bytes().to_vec());
    }

    /// Whether that connection was broken.
    #[must_use]
    pub fn has_cut(&self) -> bool {
        self.cut_at.lock().unwrap_or_else(PoisonError::into_inner).is_none()
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn pass(mut client: TcpStream, mut server: TcpStream, cut: &Cut) -> std::io::Result<()> {
    let (mut asked, mut answered) = (vec![0; 1 << 16], vec![0; 1 << 16]);
    loop {
        tokio::select! {
            read = client.read(&mut asked) => {
                let read = read?;
                server.write_all(&asked[..read]).await?;
                if is_cut(cut, &asked[..read]) {
                    // The command has been carried out when there is an answer.
                    return server.read(&mut answered).await.map(drop);
                }
                if read == 0 {
                    return Ok(());
                }
            }
            read = server.read(&mut answered) => {
                let read = read?;
                client.write_all(&answered[..read]).await?;
                if read == 0 {
                    return Ok(());
                }
            }
        }
    }
}

/// Whether to cut now. A test sends one small command at a time, which comes in one piece.
fn is_cut(cut: &Cut, asked: &[u8]) -> bool {
    let mut cut = cut.lock().unwrap_or_else(PoisonError::into_inner);
    let is_now = cut.as_ref().is_some_and(|text| asked.windows(text.len()).any(|window| window == text));
    if is_now {
        *cut = None;
    }
    is_now
}
