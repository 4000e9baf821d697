//! The steps of the near cache's model.

use std::fmt;

/// A register.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Register {
    /// The entry.
    Entry,
    /// The tag that it depends on.
    Tag,
}

/// One step. Reads and connections are numbered: 0 is the first connection, 1 the one after it was lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Action {
    /// A read whose value will be kept begins: it reserves, and chooses the connection in use.
    Reserve(u8),
    /// Its registers are read.
    Get(u8),
    /// The value names a tag, which is reserved.
    ReserveTag(u8),
    /// The tag is read.
    GetTag(u8),
    /// Another process changes a register.
    Change(Register),
    /// Everything is deleted.
    Flush,
    /// The client handles the message at this place among those that have come on a connection.
    Deal(u8, u8),
    /// This process stores what it has loaded, and keeps it.
    OwnFill,
    /// This process sends its write.
    OwnSend,
    /// Its write is carried out.
    OwnWrite,
    /// The answer has come: the write returns.
    OwnReturn,
    /// This process begins to load the other entry: the stamp of its register is read.
    OuterBegin,
    /// The load calls for the value that may be kept here.
    OuterCall,
    /// The other entry is stored, with the stamp from before the load.
    OuterFill,
    /// PING is sent.
    Ping,
    /// PING is answered.
    Pong,
    /// The first connection is lost silently, with all messages on their way but the first ones, of this number.
    Break(u8),
    /// The client gives up the first connection.
    GiveUp,
    /// There is a second connection.
    Connect,
    /// CLIENT TRACKING ON is carried out on the second connection.
    Track,
    /// The second connection comes into use.
    Regain,
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Reserve(read) => write!(f, "read {read}: reserves"),
            Self::Get(read) => write!(f, "read {read}: GET"),
            Self::ReserveTag(read) => write!(f, "read {read}: reserves the tag"),
            Self::GetTag(read) => write!(f, "read {read}: GET of the tag"),
            Self::Change(register) => write!(f, "another process: {register:?} changes"),
            Self::Flush => f.write_str("another process: FLUSHALL"),
            Self::Deal(connection, 0) => write!(f, "connection {connection}: the next message is dealt with"),
            Self::Deal(connection, at) => {
                write!(f, "connection {connection}: a message is dealt with before {at} others")
            }
            Self::OwnFill => f.write_str("this process: FILL, and keeps the value"),
            Self::OwnSend => f.write_str("this process: sends a write"),
            Self::OwnWrite => f.write_str("this process: UNLINK"),
            Self::OwnReturn => f.write_str("this process: its write returns"),
            Self::OuterBegin => f.write_str("this process: begins to load another entry"),
            Self::OuterCall => f.write_str("this process: the load calls for the value"),
            Self::OuterFill => f.write_str("this process: FILL of the other entry"),
            Self::Ping => f.write_str("PING is sent"),
            Self::Pong => f.write_str("PING is carried out"),
            Self::Break(left) => write!(f, "connection 0 is lost, but for {left} messages that have come"),
            Self::GiveUp => f.write_str("connection 0 is given up"),
            Self::Connect => f.write_str("connection 1 stands"),
            Self::Track => f.write_str("connection 1: TRACKING ON"),
            Self::Regain => f.write_str("connection 1 is in use"),
        }
    }
}
