//! What a value depends on: the stamps that its tags had before it was loaded.
//!
//! A call collects the tags and events of its entry in `engine/target`.
//!
//! ```text
//! n[1] stamp[16]*n | m[1] (length[2] name stamp[16])*m
//! ```
//!
//! The first `n` stamps are that of the base, if the entry stands beside one, and those of the call tags, in the order
//! of the site. The `m` others are value tags, which a call does not know before it has the value, so their names are
//! recorded too.

use super::Head;
use crate::reason::MissReason;
use bytes::{BufMut, Bytes};

/// Length of a stamp.
const STAMP: usize = 16;
/// The most call tags, and the most value tags, of one entry.
pub(crate) const MAX_TAGS: usize = 64;

type Stamp = [u8; STAMP];

/// Tags and their stamps, as a register records them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct TagRecord {
    /// The stamps in a row; reading them copies nothing.
    stamps: Bytes,
    /// The value tags, by the names that [`Prefix::register`](crate::key::Prefix::register) takes.
    named: Vec<(Box<str>, Stamp)>,
}

impl TagRecord {
    #[cfg(test)]
    pub(crate) const NONE: Self = Self { stamps: Bytes::new(), named: Vec::new() };

    pub(crate) fn new<'a>(
        stamps: impl IntoIterator<Item = &'a Head>,
        named: impl IntoIterator<Item = (Box<str>, Head)>,
    ) -> Self {
        let stamps: Vec<u8> = stamps.into_iter().flat_map(stamp_of).collect();
        Self { stamps: stamps.into(), named: named.into_iter().map(|(name, head)| (name, stamp_of(&head))).collect() }
    }

    /// The names of the value tags.
    pub(crate) fn names(&self) -> impl ExactSizeIterator<Item = &str> {
        self.named.iter().map(|(name, _)| &**name)
    }

    /// Whether the entry stands beside `base`, if there is one, and its call tags still have the stamps of the
    /// registers `now`.
    pub(crate) fn holds<'a>(&self, base: Option<Head>, now: impl ExactSizeIterator<Item = Option<&'a [u8]>>) -> bool {
        let mut stamps = self.stamps.chunks_exact(STAMP);
        base.is_none_or(|base| stamps.next().is_some_and(|stamp| *stamp == stamp_of(&base))) && all_are(stamps, now)
    }

    /// Whether the value tags still have the stamps of the registers `now`.
    pub(crate) fn holds_named<'a>(&self, now: impl ExactSizeIterator<Item = Option<&'a [u8]>>) -> bool {
        all_are(self.named.iter().map(|(_, stamp)| &stamp[..]), now)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.stamps.is_empty() && self.named.is_empty()
    }

    pub(super) fn write(&self, out: &mut Vec<u8>) {
        // There are at most MAX_TAGS of each kind, and no name is longer than a key.
        let byte = |number: usize| u8::try_from(number).unwrap_or(u8::MAX);
        out.put_u8(byte(self.stamps.len() / STAMP));
        out.put_slice(&self.stamps);
        out.put_u8(byte(self.named.len()));
        for (name, stamp) in &self.named {
            out.put_u16_le(u16::try_from(name.len()).unwrap_or(u16::MAX));
            out.put_slice(name.as_bytes());
            out.put_slice(stamp);
        }
    }

    pub(super) fn len(&self) -> usize {
        let named: usize = self.named.iter().map(|(name, _)| 2 + name.len() + STAMP).sum();
        2 + self.stamps.len() + named
    }

    /// Reads the record that begins at `from`; also returns where it ends.
    pub(super) fn read(register: &Bytes, from: usize) -> Result<(Self, usize), MissReason> {
        let mut rest = register.get(from..).ok_or(MissReason::Truncated)?;
        let count = number(&mut rest)?;
        let stamps = register.slice_ref(take(&mut rest, count * STAMP)?);
        let named = (0..number(&mut rest)?)
            .map(|_| {
                let len = number(&mut rest)? + (number(&mut rest)? << 8);
                let name = std::str::from_utf8(take(&mut rest, len)?).map_err(|_| MissReason::Corrupt)?;
                Ok::<_, MissReason>((name.into(), stamp(&mut rest)?))
            })
            .collect::<Result<_, _>>()?;
        Ok((Self { stamps, named }, register.len() - rest.len()))
    }
}

fn all_are<'a, 'b>(
    recorded: impl ExactSizeIterator<Item = &'a [u8]>,
    now: impl ExactSizeIterator<Item = Option<&'b [u8]>>,
) -> bool {
    recorded.len() == now.len()
        && recorded.zip(now).all(|(recorded, now)| {
            now.is_some_and(|now| now.len() == Head::LEN && now[0] == b'V' && now[1..] == *recorded)
        })
}

fn stamp_of(head: &Head) -> Stamp {
    let mut stamp = [0; STAMP];
    stamp.copy_from_slice(&head.as_bytes()[1..]);
    stamp
}

fn take<'a>(bytes: &mut &'a [u8], len: usize) -> Result<&'a [u8], MissReason> {
    let (taken, rest) = bytes.split_at_checked(len).ok_or(MissReason::Truncated)?;
    *bytes = rest;
    Ok(taken)
}

fn number(bytes: &mut &[u8]) -> Result<usize, MissReason> {
    Ok(usize::from(take(bytes, 1)?[0]))
}

fn stamp(bytes: &mut &[u8]) -> Result<Stamp, MissReason> {
    let mut stamp = [0; STAMP];
    stamp.copy_from_slice(take(bytes, STAMP)?);
    Ok(stamp)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn recorded() -> TagRecord {
        TagRecord::new(&[Head::value(1), Head::value(2)], [("t:author:7".into(), Head::value(3))])
    }

    #[test]
    fn a_record_is_read_as_it_was_written() {
        // As long as a key may be, so that the length needs both bytes.
        let long =
            TagRecord::new(&[], [("n".repeat(512).into(), Head::value(3)), ("m".repeat(255).into(), Head::value(4))]);
        for recorded in [TagRecord::default(), recorded(), long] {
            let mut bytes = Vec::new();
            recorded.write(&mut bytes);
            assert_eq!(bytes.len(), recorded.len());
            let bytes = Bytes::from([b"head", &bytes[..], b"payload"].concat());
            let end = 4 + recorded.len();
            assert_eq!(TagRecord::read(&bytes, 4), Ok((recorded.clone(), end)));
            for cut in 0..end {
                assert_eq!(TagRecord::read(&bytes.slice(..cut), 4), Err(MissReason::Truncated));
            }
        }
    }

    #[test]
    fn a_record_holds_only_for_the_same_stamps() {
        let heads = [1, 2].map(Head::value);
        let now = |heads: [Option<&'static [u8]>; 2]| recorded().holds(None, heads.into_iter());
        let [one, two] = heads.map(|head| &*Vec::leak(head.as_bytes().to_vec()));
        assert!(now([Some(one), Some(two)]));
        assert!(!now([Some(two), Some(one)]), "each its own");
        assert!(!now([Some(one), None]), "missing means invalid");
        assert!(!now([Some(one), Some(&two[..16])]));
        let lease = Vec::leak(Head::lease(2).as_bytes().to_vec());
        assert!(!now([Some(one), Some(lease)]), "a writer's token");
        assert!(!recorded().holds(None, [Some(one)].into_iter()), "a site that names fewer");
        let of_one = TagRecord::new(&heads[..1], []);
        assert!(of_one.holds(None, [Some(one)].into_iter()) && !of_one.holds(None, [Some(one), Some(two)].into_iter()));
        assert!(!recorded().holds_named([None].into_iter()));
    }
}
