//! The head of a register, which every comparison in the protocol compares.

/// The first 17 bytes of a register: a letter, `L` for a lease or `V` for a value, and 128 random bits. Every
/// comparison in the protocol compares heads.
///
/// ```
/// use cached_core::store::Head;
///
/// let register = b"V0123456789abcdef and then the rest of the value";
/// let head = Head::from_bytes(register).unwrap();
/// assert_eq!(head.as_bytes(), &register[..Head::LEN]);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Head([u8; Self::LEN]);

impl Head {
    /// Its length in bytes.
    pub const LEN: usize = 17;

    /// The head of a lease, from 128 random bits.
    pub(crate) fn lease(id: u128) -> Self {
        Self::tagged(b'L', id)
    }

    /// The head of a value, from 128 random bits.
    pub(crate) fn value(stamp: u128) -> Self {
        Self::tagged(b'V', stamp)
    }

    /// Its 128 random bits.
    pub(crate) fn id(&self) -> u128 {
        let mut id = [0; 16];
        id.copy_from_slice(&self.0[1..]);
        u128::from_le_bytes(id)
    }

    fn tagged(kind: u8, id: u128) -> Self {
        let mut head = [kind; Self::LEN];
        head[1..].copy_from_slice(&id.to_le_bytes());
        Self(head)
    }

    /// The head of a register; `None` if it has fewer than [`Head::LEN`] bytes or is neither lease nor value.
    ///
    /// ```
    /// use cached_core::store::Head;
    ///
    /// assert!(Head::from_bytes(b"V0123").is_none());
    /// assert!(Head::from_bytes(b"an entry of some other program").is_none());
    /// ```
    #[must_use]
    pub fn from_bytes(register: &[u8]) -> Option<Self> {
        let head = *register.first_chunk()?;
        matches!(head[0], b'L' | b'V').then_some(Self(head))
    }

    /// The bytes as they stand in the register, [`Head::LEN`] of them.
    ///
    /// ```
    /// use cached_core::store::Head;
    ///
    /// assert_eq!(Head::from_bytes(b"L0123456789abcdef").unwrap().as_bytes(), b"L0123456789abcdef");
    /// ```
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// Whether `register` is a lease (anyone's), not a value.
    ///
    /// ```
    /// use cached_core::store::Head;
    ///
    /// assert!(Head::is_lease(b"L0123456789abcdef"));
    /// assert!(!Head::is_lease(b"V0123456789abcdef and then the rest of the value"));
    /// ```
    #[must_use]
    pub fn is_lease(register: &[u8]) -> bool {
        register.len() == Self::LEN && register[0] == b'L'
    }
}
