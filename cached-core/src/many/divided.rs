//! What one run of a batch's body returned, taken apart.

/// What one run of the body returned, by the ids that it was given.
#[derive(Debug)]
pub struct Divided<Id, T> {
    /// Of each id, in their order.
    pub(crate) parts: Vec<Part<T>>,
    /// Entries of ids that it was not given: for the caller of this call only.
    pub(crate) strangers: Vec<(Id, T)>,
}

/// What one run of the body says about an id that it was given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part<T> {
    /// It has a value.
    Value(T),
    /// It has none.
    Absent,
    /// It has none under this spelling, but one of the other entries may be its value.
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

impl<Id, T> Divided<Id, T> {
    /// `has_twin`: another id with a value is equal to this one, and a map holds both under one of them.
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

    /// Whether something cannot be attributed to the ids that were given.
    pub(crate) fn is_unattributed(&self) -> bool {
        !self.strangers.is_empty() || self.parts.iter().any(|part| matches!(part, Part::Unknown))
    }
}

/// The ids that have a value, where others have none.
pub(super) fn found<'i, Id, T>(ids: &'i [Id], values: &[Option<T>]) -> Vec<&'i Id> {
    if values.iter().all(Option::is_some) {
        return Vec::new();
    }
    ids.iter().zip(values).filter(|(_, value)| value.is_some()).map(|(id, _)| id).collect()
}

/// What was returned as it is, since it cannot be divided.
#[derive(Debug)]
pub enum Undivided<R> {
    /// The load has failed.
    Failed(R),
    /// There are so many values, which is not as many as there are ids: it cannot be told which is of which.
    Misfit(R, usize),
}
