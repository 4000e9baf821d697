//! Variants of the near cache's model: what takes part, and which rule is broken.

/// How a tag is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tag {
    /// There is none.
    None,
    /// The call names it: it is read in one step with the entry.
    Told,
    /// The value names it: it is read in a later step.
    FromValue,
}

/// The order in which the client handles what comes on one connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// In the order of arrival.
    Kept,
    /// Announcements as they come, answers at any later time.
    AnswersLate,
    /// Any.
    Any,
}

/// The rule that is broken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flaw {
    /// None: this is the protocol.
    None,
    /// l2: nothing is reserved, and every answer is kept.
    NoReservation,
    /// l4: this process keeps what it stores, and the server does not announce its own writes to it.
    OwnFill,
    /// The tag is reserved when the answer is handled.
    TagUnreserved,
    /// An own write drops the copy before it is sent, and not when it is answered.
    DropsBefore,
    /// A PONG confirms up to the moment at which it is handled.
    ConfirmsAtPong,
    /// The second connection comes into use before tracking is on.
    RegainsEarly,
    /// A read still goes out on the connection that was given up.
    ReadsOnOld,
    /// The epoch of a copy is read when the answer is handled.
    EpochAtAnswer,
    /// No epochs: copies outlive a gap.
    NoEpoch,
    /// A call inside a load is served the copy.
    CopyInLoad,
}

/// One scenario.
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of its own")]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Variant {
    /// How many reads are made that may be kept.
    pub reads: u8,
    /// How often other processes change a register.
    pub changes: u8,
    /// How a tag is read.
    pub tag: Tag,
    /// The order in which answers and announcements are handled.
    pub order: Order,
    /// Whether this process writes, once.
    pub writes: bool,
    /// Whether this process loads another entry, once. That entry depends on the same register, and its load calls for
    /// this one.
    pub nests: bool,
    /// Whether everything may be deleted.
    pub flushes: bool,
    /// The number of PINGs that are sent. 0: no heartbeat, and contact is taken for granted.
    pub pings: u8,
    /// Whether the connection is lost, and replaced.
    pub breaks: bool,
    /// `on_gap = "serve"`.
    pub serves_in_gap: bool,
    /// The rule that is broken.
    pub flaw: Flaw,
}

impl Variant {
    /// Two reads and two changes of one register; nothing goes wrong.
    #[must_use]
    pub fn new(order: Order) -> Self {
        Self {
            reads: 2,
            changes: 2,
            tag: Tag::None,
            order,
            writes: false,
            nests: false,
            flushes: false,
            pings: 0,
            breaks: false,
            serves_in_gap: false,
            flaw: Flaw::None,
        }
    }

    pub(super) fn has(&self, flaw: Flaw) -> bool {
        self.flaw == flaw
    }
}
