//! Stores, and connections to the server.

mod conformance;
mod connections;
mod copies;
mod handshakes;
mod merged;
mod rights;
