//! A network in which data arrives late: behind what was sent afterwards on another connection.

use std::sync::{Arc, Mutex};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// Passes connections on to a server. A held connection delivers nothing until it is released, even if its client has
/// given it up by then.
#[derive(Debug)]
pub struct Relay {
    port: u16,
    connections: Arc<Mutex<Vec<Connection>>>,
}

#[derive(Debug)]
struct Connection {
    is_held: watch::Sender<bool>,
    held: watch::Receiver<usize>,
    task: tokio::task::JoinHandle<()>,
}

impl Relay {
    /// A relay to the server on this port of 127.0.0.1.
    ///
    /// # Panics
    /// When there is no free port.
    pub async fn start(server: u16) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("no free port");
        let port = listener.local_addr().expect("a bound socket has an address").port();
        let connections = Arc::<Mutex<Vec<Connection>>>::default();
        let list = Arc::clone(&connections);
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let Ok(server) = TcpStream::connect(("127.0.0.1", server)).await else { continue };
                let (is_held, may_pass) = watch::channel(false);
                let (tell, held) = watch::channel(0);
                let task = tokio::spawn(pass(client, server, may_pass, tell));
                list.lock().expect("not poisoned").push(Connection { is_held, held, task });
            }
        });
        Self { port, connections }
    }

    /// `redis://127.0.0.1:port/`
    #[must_use]
    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}/", self.port)
    }

    /// From now on nothing arrives that is sent on the existing connections; new ones are not affected.
    ///
    /// # Panics
    /// Never.
    pub fn hold(&self) {
        for connection in &*self.connections.lock().expect("not poisoned") {
            connection.is_held.send_replace(true);
        }
    }

    /// The number of bytes that are held back.
    ///
    /// # Panics
    /// Never.
    #[must_use]
    pub fn held(&self) -> usize {
        self.connections.lock().expect("not poisoned").iter().map(|connection| *connection.held.borrow()).sum()
    }

    /// Delivers what was held back on the connections that their clients have given up, and waits until the server has
    /// carried it out.
    ///
    /// # Panics
    /// When a connection is still in use.
    pub async fn release_given_up(&self) {
        let connections: Vec<_> = {
            let mut connections = self.connections.lock().expect("not poisoned");
            connections.extract_if(.., |connection| *connection.is_held.borrow()).collect()
        };
        for connection in connections {
            connection.is_held.send_replace(false);
            connection.task.await.expect("no panic");
        }
    }
}

async fn pass(client: TcpStream, server: TcpStream, mut may_pass: watch::Receiver<bool>, held: watch::Sender<usize>) {
    let ((mut from_client, mut to_client), (mut from_server, mut to_server)) =
        (client.into_split(), server.into_split());
    let up = async {
        let (mut bytes, mut waiting, mut is_open) = ([0; 4096], Vec::new(), true);
        while is_open || !waiting.is_empty() {
            if *may_pass.borrow_and_update() {
                tokio::select! {
                    _ = may_pass.changed() => {}
                    read = from_client.read(&mut bytes), if is_open => match read {
                        Ok(n) if n > 0 => waiting.extend_from_slice(&bytes[..n]),
                        _ => is_open = false,
                    },
                }
            } else if waiting.is_empty() {
                tokio::select! {
                    _ = may_pass.changed() => {}
                    read = from_client.read(&mut bytes) => match read {
                        Ok(n) if n > 0 => waiting.extend_from_slice(&bytes[..n]),
                        _ => is_open = false,
                    },
                }
            } else {
                if to_server.write_all(&waiting).await.is_err() {
                    return;
                }
                waiting.clear();
            }
            held.send_replace(waiting.len());
        }
        // The server answers everything it was sent before it closes.
        let _ = to_server.shutdown().await;
    };
    let down = async {
        let mut bytes = [0; 4096];
        while let Ok(n) = from_server.read(&mut bytes).await
            && n > 0
        {
            // The client may be gone.
            let _ = to_client.write_all(&bytes[..n]).await;
        }
    };
    tokio::join!(up, down);
}
