//! Settings from the environment.

use crate::error::StartError;
use std::env;
use std::net::SocketAddr;

const DEFAULT_ADDR: &str = "127.0.0.1:3000";

/// Where to listen: `ADDR`. (`REDIS_URL` is read by the cache itself.)
pub(crate) fn addr() -> Result<SocketAddr, StartError> {
    let addr = env::var("ADDR").unwrap_or_else(|_| DEFAULT_ADDR.to_owned());
    addr.parse().map_err(|_| StartError::Addr(addr))
}
