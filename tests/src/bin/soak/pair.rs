//! A primary and its replica, which replace each other.

use crate::address::Address;
use crate::oracle::PROCESSES;
use crate::random::Random;
use std::error::Error;
use std::time::{Duration, Instant};
use tests::{Network, Pass, RedisServer};

/// A server, and the way on which a replica receives its commands.
struct Node {
    server: RedisServer,
    to_replica: Network,
}

impl Node {
    async fn start() -> Self {
        // A replica gets its data at once, without waiting for other replicas. The data is not kept in a file, because
        // a restarted server would load it again.
        let arguments = ["--repl-diskless-sync-delay", "0", "--rdb-del-sync-files", "yes"];
        let server = RedisServer::start_with(&arguments);
        let to_replica = Network::to(&server).await;
        Self { server, to_replica }
    }

    async fn follow(&self, primary: &Self) -> Result<(), Box<dyn Error>> {
        let url = primary.to_replica.url();
        let port = url.trim_end_matches('/').rsplit(':').next().ok_or("a URL without a port")?;
        self.be_replica_at(port).await;
        Ok(())
    }

    async fn be_replica_at(&self, port: &str) {
        let _: redis::Value = self.server.send(&[b"REPLICAOF", b"127.0.0.1", port.as_bytes()]).await;
    }
}

/// The fate of the old primary.
#[derive(Debug, Clone, Copy)]
enum Old {
    /// SIGKILL.
    Killed,
    /// It does not answer for a while, and then is killed.
    Frozen,
    /// It becomes a replica of the new primary.
    Demoted,
    /// It becomes a replica whose primary cannot be reached: it continues to serve what it has.
    CutOff,
}

pub(crate) struct Pair {
    primary: Node,
    /// `None` without a replica.
    replica: Option<Node>,
    /// Each process has its own.
    addresses: Vec<Address>,
}

impl Pair {
    /// Starts a primary, and a replica if wanted.
    pub(crate) async fn start(is_replicated: bool) -> Result<Self, Box<dyn Error>> {
        let primary = Node::start().await;
        let mut addresses = Vec::new();
        for _ in 0..PROCESSES {
            addresses.push(Address::of(primary.server.port()).await?);
        }
        let mut replica = None;
        if is_replicated {
            let node = Node::start().await;
            node.follow(&primary).await?;
            replica = Some(node);
        }
        Ok(Self { primary, replica, addresses })
    }

    pub(crate) fn urls(&self) -> Vec<String> {
        self.addresses.iter().map(Address::url).collect()
    }

    pub(crate) fn primary(&mut self) -> &mut RedisServer {
        &mut self.primary.server
    }

    /// Whether the replica has all that the primary has carried out by now. Waits a little for that.
    pub(crate) async fn is_in_step(&self) -> bool {
        let mut connection = self.primary.server.connection().await;
        let deadline = Instant::now() + Duration::from_secs(2);
        while Instant::now() < deadline {
            // WAIT is about what its own connection has written before; that write is behind all commands of others so
            // far.
            let mut both = redis::pipe();
            both.cmd("SET").arg("soak").arg(1).ignore().cmd("WAIT").arg(1).arg(100);
            let replicas: Result<(i64,), _> = both.query_async(&mut connection).await;
            if replicas.is_ok_and(|(replicas,)| replicas == 1) {
                return true;
            }
        }
        false
    }

    /// From here on the replica receives nothing that the primary carries out.
    pub(crate) fn hold(&self) {
        self.primary.to_replica.down(Pass::Never);
    }

    /// The replica replaces the primary, as it is. Returns when the old one takes no commands any more.
    pub(crate) async fn switch(&mut self, random: &mut Random) -> Result<(), Box<dyn Error>> {
        let Some(node) = self.replica.take() else { return Ok(()) };
        let fates = [Old::Killed, Old::Frozen, Old::Demoted, Old::CutOff, Old::CutOff];
        let fate = fates[usize::try_from(random.below(5))?];
        if let Old::Frozen = fate {
            self.primary.server.freeze();
            tokio::time::sleep(random.ms(200)).await;
        }
        let _: redis::Value = node.server.send(&[b"REPLICAOF", b"NO", b"ONE"]).await;
        for address in &self.addresses {
            address.move_to(node.server.port());
            // Some connections end by chance, so that one process moves before the other.
            if random.percent(30) {
                address.cut();
            }
        }
        let mut old = std::mem::replace(&mut self.primary, node);
        match fate {
            Old::Killed | Old::Frozen => old.server.kill(),
            Old::Demoted => old.follow(&self.primary).await?,
            // A port on which nothing listens.
            Old::CutOff => old.be_replica_at("1").await,
        }
        self.replica = Some(old);
        Ok(())
    }

    /// Starts the old primary again, as a replica of the new one.
    pub(crate) async fn renew_replica(&mut self) -> Result<(), Box<dyn Error>> {
        let Some(old) = &mut self.replica else { return Ok(()) };
        old.server.kill();
        old.server.restart();
        old.to_replica = Network::to(&old.server).await;
        old.follow(&self.primary).await
    }
}
