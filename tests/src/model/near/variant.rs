//! What is modelled of the near cache, and which rule is broken.

/// How a tag is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tag {
    /// There is none.
    None,
    /// In one step with the entry.
    Told,
    /// The value tells of it: in a step after.
    FromValue,
}

/// The order in which the client deals with what comes on one connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// As it comes.
    Kept,
    /// News are dealt with as they come, answers at any time after.
    AnswersLate,
    /// Any.
    Any,
}

/// The rule that is broken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flaw {
    /// None: this is how it is done.
    None,
    /// l2: nothing is reserved, what an answer brings is kept.
    NoReservation,
    /// l4: what this process stores itself is kept, and the server does not tell it of its own writes.
    OwnFill,
    /// The tag is reserved when the answer is dealt with.
    TagUnreserved,
    /// An own write drops the copy before it is sent, and not when it was answered.
    DropsBefore,
    /// A PONG confirms up to when it is dealt with.
    ConfirmsAtPong,
    /// The second connection comes into use before tracking is on.
    RegainsEarly,
    /// A read still goes out on the connection that was given up.
    ReadsOnOld,
    /// The epoch to which a copy belongs is read when the answer is dealt with.
    EpochAtAnswer,
    /// No epochs: copies outlive a gap.
    NoEpoch,
    /// A call inside of a load is served the copy.
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
    /// In which order answers and news are dealt with.
    pub order: Order,
    /// Whether this process writes, once.
    pub writes: bool,
    /// Whether this process loads another entry, once, which depends on the same register and whose load calls for this one.
    pub nests: bool,
    /// Whether everything may be deleted.
    pub flushes: bool,
    /// How many PINGs are sent. 0: no heartbeat, contact is taken for granted.
    pub pings: u8,
    /// Whether the connection is lost, and another one made.
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
