//! Answers of steps that take several keys.

use crate::error::StoreError;
use std::mem;

/// What a step answers for each of its keys, in the order in which the request names them: an answer, or the fault that
/// kept this key from having one.
///
/// So a store of several servers says which keys have failed with one of them. A step whose keys have all failed alike
/// fails as a whole instead.
///
/// ```
/// use cached_core::store::Each;
/// use cached_core::{FaultKind, StoreError};
///
/// let all: Each<u8> = Each::from(vec![1, 2]);
/// assert_eq!(all.whole().unwrap(), [1, 2]);
///
/// let gone = StoreError::new(FaultKind::Disconnected, "one of two servers");
/// let some: Each<u8> = [Ok(1), Err(gone)].into_iter().collect();
/// assert_eq!(some.len(), 2);
/// assert_eq!(some.faults().next().unwrap().0, 1);
/// assert!(some.whole().is_err());
/// ```
#[derive(Debug, Clone)]
#[must_use = "a key of it may have failed"]
pub struct Each<T>(Answers<T>);

#[derive(Debug, Clone)]
enum Answers<T> {
    /// Nearly always; so it costs no more than the answers themselves.
    All(Vec<T>),
    Some(Vec<Result<T, StoreError>>),
}

impl<T> Each<T> {
    /// The number of keys.
    ///
    /// ```
    /// assert_eq!(cached_core::store::Each::from(vec![(), ()]).len(), 2);
    /// ```
    #[must_use]
    pub fn len(&self) -> usize {
        match &self.0 {
            Answers::All(answers) => answers.len(),
            Answers::Some(answers) => answers.len(),
        }
    }

    /// Whether the step was about no key.
    ///
    /// ```
    /// assert!(cached_core::store::Each::<()>::from(vec![]).is_empty());
    /// ```
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The keys that have failed, by their places in the request, with their faults.
    ///
    /// ```
    /// assert_eq!(cached_core::store::Each::from(vec![()]).faults().count(), 0);
    /// ```
    pub fn faults(&self) -> impl Iterator<Item = (usize, &StoreError)> {
        let answers = match &self.0 {
            Answers::All(_) => &[][..],
            Answers::Some(answers) => answers,
        };
        answers.iter().enumerate().filter_map(|(at, answer)| Some((at, answer.as_ref().err()?)))
    }

    /// The answers, if no key has failed.
    ///
    /// # Errors
    /// The fault of the first key that has failed.
    ///
    /// ```
    /// assert_eq!(cached_core::store::Each::from(vec![true]).whole().unwrap(), [true]);
    /// ```
    pub fn whole(self) -> Result<Vec<T>, StoreError> {
        match self.0 {
            Answers::All(answers) => Ok(answers),
            Answers::Some(answers) => answers.into_iter().collect(),
        }
    }

    /// The answer of each key.
    ///
    /// ```
    /// assert_eq!(cached_core::store::Each::from(vec![true]).results().next().unwrap().unwrap(), true);
    /// ```
    pub fn results(self) -> impl Iterator<Item = Result<T, StoreError>> {
        let (all, some) = match self.0 {
            Answers::All(answers) => (answers, Vec::new()),
            Answers::Some(answers) => (Vec::new(), answers),
        };
        all.into_iter().map(Ok).chain(some)
    }
}

impl<T> From<Vec<T>> for Each<T> {
    /// All keys have an answer.
    fn from(answers: Vec<T>) -> Self {
        Self(Answers::All(answers))
    }
}

impl<T> FromIterator<Result<T, StoreError>> for Each<T> {
    fn from_iter<I: IntoIterator<Item = Result<T, StoreError>>>(answers: I) -> Self {
        let (mut all, mut some) = (Vec::new(), Vec::new());
        for answer in answers {
            match answer {
                Ok(answer) if some.is_empty() => all.push(answer),
                answer => {
                    some.extend(mem::take(&mut all).into_iter().map(Ok));
                    some.push(answer);
                }
            }
        }
        Self(if some.is_empty() { Answers::All(all) } else { Answers::Some(some) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::FaultKind;

    fn fault(message: &str) -> StoreError {
        StoreError::new(FaultKind::Refused, message)
    }

    #[test]
    fn each_key_keeps_its_place_whatever_fails() {
        let answers = [Ok(0), Err(fault("a")), Ok(2), Err(fault("b"))];
        let each: Each<u8> = answers.into_iter().collect();
        assert_eq!(each.faults().map(|(at, error)| (at, &*error.message)).collect::<Vec<_>>(), [(1, "a"), (3, "b")]);
        let results: Vec<_> = each.clone().results().map(|answer| answer.map_err(|error| error.message)).collect();
        assert_eq!(results, [Ok(0), Err("a".into()), Ok(2), Err("b".into())]);
        assert_eq!((each.len(), each.whole().unwrap_err().message), (4, "a".into()));
    }

    #[test]
    fn without_a_fault_it_is_whole() {
        let each: Each<u8> = [Ok(0), Ok(1)].into_iter().collect();
        assert_eq!(each.results().map(Result::unwrap).collect::<Vec<_>>(), [0, 1]);
        assert_eq!(Each::from(vec![0, 1]).whole().unwrap(), [0, 1]);
        assert!(Each::<u8>::from_iter([]).is_empty());
    }
}
