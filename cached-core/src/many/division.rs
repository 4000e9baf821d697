//! Divides what one run of a batch's body returned.

/// What one run of the body returned, by the ids that it was given.
#[derive(Debug)]
pub struct Division<Id, T> {
    /// One for each id, in their order.
    pub(crate) parts: Vec<Part<T>>,
    /// Values of ids that the body was not given; only the caller of this call gets them.
    pub(crate) strangers: Vec<(Id, T)>,
}

/// What one run of the body says about an id that it was given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part<T> {
    /// It has a value.
    Value(T),
    /// It has no value.
    Absent,
    /// It has no value under this spelling, but one of the other values may be its own.
    Unknown,
}

impl<T> Part<T> {
    pub(crate) fn value(self) -> Option<T> {
        match self {
            Self::Value(value) => Some(value),
            Self::Absent | Self::Unknown => None,
        }
    }
}

impl<Id, T> Division<Id, T> {
    /// `has_twin` says whether an equal id has a value: a map contains only one of two equal ids.
    pub(super) fn new(
        ids: &[Id],
        values: Vec<Option<T>>,
        strangers: Vec<(Id, T)>,
        has_twin: impl Fn(&Id) -> bool,
    ) -> Self {
        let part = |(value, id): (Option<T>, &Id)| match value {
            Some(value) => Part::Value(value),
            None if strangers.is_empty() && !has_twin(id) => Part::Absent,
            None => Part::Unknown,
        };
        let parts = values.into_iter().zip(ids).map(part).collect();
        Self { parts, strangers }
    }

    /// Whether some value cannot be attributed to one of the given ids.
    pub(crate) fn is_unattributed(&self) -> bool {
        !self.strangers.is_empty() || self.parts.iter().any(|part| matches!(part, Part::Unknown))
    }
}

/// The ids that have a value; none if all have one.
pub(super) fn found<'i, Id, T>(ids: &'i [Id], values: &[Option<T>]) -> Vec<&'i Id> {
    if values.iter().all(Option::is_some) {
        return Vec::new();
    }
    ids.iter().zip(values).filter(|(_, value)| value.is_some()).map(|(id, _)| id).collect()
}

/// The return value as it is, because it cannot be divided.
#[derive(Debug)]
pub enum DivisionError<R> {
    /// The load has failed.
    Failed(R),
    /// There are this many values, but another number of ids, so nobody can tell which value belongs to which id.
    Misfit(R, usize),
}
