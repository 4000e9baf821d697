//! The address that a process knows. It leads to the primary, and moves with it.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU16, Ordering};
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::{AbortHandle, JoinSet};

/// Passes connections on to a server; ended when dropped.
#[derive(Debug)]
pub(crate) struct Address {
    at: SocketAddr,
    port: Arc<AtomicU16>,
    cuts: watch::Sender<()>,
    accepting: AbortHandle,
}

impl Address {
    pub(crate) async fn of(port: u16) -> std::io::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let at = listener.local_addr()?;
        let port = Arc::new(AtomicU16::new(port));
        let (cuts, cut) = watch::channel(());
        let now = Arc::clone(&port);
        let accepting = tokio::spawn(async move {
            // The connections end when this task is dropped.
            let mut connections = JoinSet::new();
            while let Ok((mut client, _)) = listener.accept().await {
                let port = now.load(Ordering::SeqCst);
                let mut cut = cut.clone();
                cut.mark_unchanged();
                connections.spawn(async move {
                    // If the server is not there, the connection is closed at once.
                    if let Ok(mut server) = TcpStream::connect(("127.0.0.1", port)).await {
                        let _ = (client.set_nodelay(true), server.set_nodelay(true));
                        tokio::select! {
                            _ = copy_bidirectional(&mut client, &mut server) => {}
                            _ = cut.changed() => {}
                        }
                    }
                });
                while connections.try_join_next().is_some() {}
            }
        });
        Ok(Self { at, port, cuts, accepting: accepting.abort_handle() })
    }

    pub(crate) fn url(&self) -> String {
        format!("redis://{}/", self.at)
    }

    /// From here on new connections lead to this port. Existing connections stay.
    pub(crate) fn move_to(&self, port: u16) {
        self.port.store(port, Ordering::SeqCst);
    }

    /// Closes the existing connections.
    pub(crate) fn cut(&self) {
        self.cuts.send_replace(());
    }
}

impl Drop for Address {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}
