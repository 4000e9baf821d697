//! What a batch takes and returns, and which part of it is stored.
//!
//! As in [`outcome`](crate::outcome), the type decides, and method resolution finds it (autoref specialisation): here
//! on a [`ManyProbe`] of the return type and the type of the ids.
//!
//! | return type, or `Ok` of a `Result` | an id that is absent |
//! |---|---|
//! | `HashMap<Id, T>`, `BTreeMap<Id, T>` | is not in the map |
//! | `Vec<Option<T>>`, in the order of the ids | `None` |

mod division;
mod passage;

pub(crate) use division::{Division, DivisionError, Part};
pub(crate) use passage::SharedStrangers;
pub use passage::{IdsProbe, OwnedId, PassNone, PassOwned, Passage};

use crate::outcome::{CacheValue, OptionValue};
use division::found;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::fmt;
use std::hash::{BuildHasher, Hash};
use std::marker::PhantomData;

/// The type of the argument that `batch` names.
#[diagnostic::on_unimplemented(
    message = "`batch` names a list of ids, and `{Self}` is none",
    label = "write `&[Id]` or `Vec<Id>`",
    note = "the ids are cloned for each run of the body: `Id` has to be `Clone`"
)]
pub trait Ids {
    /// One id.
    type Id: Clone;
    /// The argument's type with a shorter lifetime.
    type Lent<'l>
    where
        Self: 'l;

    /// All ids.
    fn all(&self) -> &[Self::Id];

    /// The argument for one run of the body.
    fn lend<'l>(ids: &'l [Self::Id]) -> Self::Lent<'l>
    where
        Self: 'l;
}

impl<Id: Clone> Ids for &[Id] {
    type Id = Id;
    type Lent<'l>
        = &'l [Id]
    where
        Self: 'l;

    fn all(&self) -> &[Id] {
        self
    }

    fn lend<'l>(ids: &'l [Id]) -> &'l [Id]
    where
        Self: 'l,
    {
        ids
    }
}

impl<Id: Clone> Ids for Vec<Id> {
    type Id = Id;
    type Lent<'l>
        = Self
    where
        Self: 'l;

    fn all(&self) -> &[Id] {
        self
    }

    fn lend<'l>(ids: &'l [Id]) -> Self
    where
        Self: 'l,
    {
        ids.to_vec()
    }
}

/// All ids of the argument.
pub fn ids<I: Ids>(ids: &I) -> &[I::Id] {
    ids.all()
}

/// The argument for one run of the body.
pub fn lend<'l, I: Ids + 'l>(_: &I, ids: &'l [I::Id]) -> I::Lent<'l> {
    I::lend(ids)
}

/// The ids of one call.
#[derive(Debug)]
pub struct AskedIds<'a, Id> {
    /// The ids as they were given.
    pub(crate) ids: &'a [Id],
    /// Where each distinct id stands for the first time.
    pub(crate) firsts: Vec<usize>,
    /// For each given id, its number among the distinct ones.
    pub(crate) places: Vec<usize>,
}

impl<'a, Id> AskedIds<'a, Id> {
    /// The distinct id of this number.
    pub(crate) fn id(&self, distinct: usize) -> &'a Id {
        &self.ids[self.firsts[distinct]]
    }
}

/// A collection of values by id.
pub trait ManyOf<Id>: Sized {
    /// One value.
    type Item;

    /// Whether one value can stand for two ids that have the same key.
    fn is_same(one: &Id, other: &Id) -> bool;

    /// Makes a collection of the values of the distinct ids, and of what else the body returned.
    fn collect(asked: &AskedIds<'_, Id>, values: Vec<Option<Self::Item>>, strangers: Vec<(Id, Self::Item)>) -> Self;

    /// Divides the collection into the values of these ids.
    ///
    /// # Errors
    /// The collection and the number of its values, if nobody can tell which value belongs to which id.
    fn divide(self, ids: &[Id]) -> Result<Division<Id, Self::Item>, (Self, usize)>;
}

fn by_id<Id: Clone, T>(asked: &AskedIds<'_, Id>, values: Vec<Option<T>>) -> impl Iterator<Item = (Id, T)> {
    values.into_iter().enumerate().filter_map(|(at, value)| Some((asked.id(at).clone(), value?)))
}

impl<Id: Clone + Eq + Hash, T, S: BuildHasher + Default> ManyOf<Id> for HashMap<Id, T, S> {
    type Item = T;

    fn is_same(one: &Id, other: &Id) -> bool {
        one == other
    }

    fn collect(asked: &AskedIds<'_, Id>, values: Vec<Option<T>>, strangers: Vec<(Id, T)>) -> Self {
        strangers.into_iter().chain(by_id(asked, values)).collect()
    }

    fn divide(mut self, ids: &[Id]) -> Result<Division<Id, T>, (Self, usize)> {
        let values: Vec<_> = ids.iter().map(|id| self.remove(id)).collect();
        let found: HashSet<&Id> = found(ids, &values).into_iter().collect();
        Ok(Division::new(ids, values, self.into_iter().collect(), |id| found.contains(id)))
    }
}

impl<Id: Clone + Ord, T> ManyOf<Id> for BTreeMap<Id, T> {
    type Item = T;

    fn is_same(one: &Id, other: &Id) -> bool {
        one == other
    }

    fn collect(asked: &AskedIds<'_, Id>, values: Vec<Option<T>>, strangers: Vec<(Id, T)>) -> Self {
        strangers.into_iter().chain(by_id(asked, values)).collect()
    }

    fn divide(mut self, ids: &[Id]) -> Result<Division<Id, T>, (Self, usize)> {
        let values: Vec<_> = ids.iter().map(|id| self.remove(id)).collect();
        let found: BTreeSet<&Id> = found(ids, &values).into_iter().collect();
        Ok(Division::new(ids, values, self.into_iter().collect(), |id| found.contains(id)))
    }
}

/// Values are `Clone`, because an id may be asked for twice.
impl<Id, T: Clone> ManyOf<Id> for Vec<Option<T>> {
    type Item = T;

    fn is_same(_: &Id, _: &Id) -> bool {
        true
    }

    fn collect(asked: &AskedIds<'_, Id>, mut values: Vec<Option<T>>, _: Vec<(Id, T)>) -> Self {
        if asked.places.len() == values.len() {
            return values;
        }
        // The last place that asks for a value gets it, the ones before get clones.
        let mut left = vec![0_usize; values.len()];
        asked.places.iter().for_each(|place| left[*place] += 1);
        let mut give = |place: usize| {
            left[place] -= 1;
            if left[place] == 0 { values[place].take() } else { values[place].clone() }
        };
        asked.places.iter().map(|place| give(*place)).collect()
    }

    fn divide(self, ids: &[Id]) -> Result<Division<Id, T>, (Self, usize)> {
        if self.len() != ids.len() {
            let values = self.len();
            return Err((self, values));
        }
        Ok(Division::new(ids, self, Vec::new(), |_| false))
    }
}

/// A divided return value, or why it cannot be divided.
type DivisionResult<Id, T, R> = Result<Division<Id, T>, DivisionError<R>>;

/// How a batch's return value is divided for storing, and built again from stored values.
pub trait ManyShape: Copy {
    /// The function's return type.
    type Return;
    /// The ids by which its values are found.
    type Id: Clone;
    /// The stored value of one id.
    type Item: CacheValue;

    /// Whether one value can stand for two ids that have the same key.
    fn is_same(one: &Self::Id, other: &Self::Id) -> bool;

    /// Makes a return value of the values of the distinct ids, and of what else the body returned.
    fn collect(
        asked: &AskedIds<'_, Self::Id>,
        values: Vec<Option<Self::Item>>,
        strangers: Vec<(Self::Id, Self::Item)>,
    ) -> Self::Return;

    /// Divides what the body returned for these ids.
    ///
    /// # Errors
    /// What was returned, if the load has failed or nobody can tell which value belongs to which id.
    fn divide(returned: Self::Return, ids: &[Self::Id]) -> DivisionResult<Self::Id, Self::Item, Self::Return>;
}

/// Stands for the return type `R` of a batch over ids of type `Id` while method resolution finds its shape.
pub struct ManyProbe<R, Id>(PhantomData<fn() -> (R, Id)>);

impl<R, Id> ManyProbe<R, Id> {
    /// A probe for a batch that returns `R` for these ids.
    #[must_use]
    pub fn of(_: &[Id]) -> Self {
        Self(PhantomData)
    }
}

impl<R, Id> fmt::Debug for ManyProbe<R, Id> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ManyProbe")
    }
}

/// The shape of a plain collection.
pub struct Plain<C, Id>(PhantomData<fn() -> (C, Id)>);

/// The shape of a collection in a `Result`.
pub struct InResult<C, E, Id>(PhantomData<fn() -> Result<C, E>>, PhantomData<fn() -> Id>);

macro_rules! marker {
    ($name:ident<$($param:ident),*>) => {
        impl<$($param),*> Copy for $name<$($param),*> {}

        impl<$($param),*> Clone for $name<$($param),*> {
            fn clone(&self) -> Self {
                *self
            }
        }

        impl<$($param),*> fmt::Debug for $name<$($param),*> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(stringify!($name))
            }
        }
    };
}
impl<C, E, Id> Default for InResult<C, E, Id> {
    fn default() -> Self {
        Self(PhantomData, PhantomData)
    }
}

marker!(Plain<C, Id>);
marker!(InResult<C, E, Id>);

impl<Id: Clone, C: ManyOf<Id, Item: CacheValue>> ManyShape for Plain<C, Id> {
    type Return = C;
    type Id = Id;
    type Item = C::Item;

    fn is_same(one: &Id, other: &Id) -> bool {
        C::is_same(one, other)
    }

    fn collect(asked: &AskedIds<'_, Id>, values: Vec<Option<C::Item>>, strangers: Vec<(Id, C::Item)>) -> C {
        C::collect(asked, values, strangers)
    }

    fn divide(returned: C, ids: &[Id]) -> DivisionResult<Id, C::Item, C> {
        returned.divide(ids).map_err(|(returned, values)| DivisionError::Misfit(returned, values))
    }
}

impl<Id: Clone, E, C: ManyOf<Id, Item: CacheValue>> ManyShape for InResult<C, E, Id> {
    type Return = Result<C, E>;
    type Id = Id;
    type Item = C::Item;

    fn is_same(one: &Id, other: &Id) -> bool {
        C::is_same(one, other)
    }

    fn collect(asked: &AskedIds<'_, Id>, values: Vec<Option<C::Item>>, strangers: Vec<(Id, C::Item)>) -> Result<C, E> {
        Ok(C::collect(asked, values, strangers))
    }

    fn divide(returned: Result<C, E>, ids: &[Id]) -> DivisionResult<Id, C::Item, Result<C, E>> {
        match returned {
            Ok(values) => values.divide(ids).map_err(|(values, len)| DivisionError::Misfit(Ok(values), len)),
            failed @ Err(_) => Err(DivisionError::Failed(failed)),
        }
    }
}

/// Method resolution finds this first: a `Result` of a collection.
pub trait ManyInResult {
    /// The shape found.
    type Found;

    /// Names the shape.
    fn __cached_core_many(&self) -> Self::Found;
}

impl<Id, E, C: ManyOf<Id>> ManyInResult for &&ManyProbe<Result<C, E>, Id> {
    type Found = InResult<C, E, Id>;

    fn __cached_core_many(&self) -> Self::Found {
        InResult::default()
    }
}

/// Method resolution finds this next: a collection.
pub trait ManyPlain {
    /// The shape found.
    type Found;

    /// Names the shape.
    fn __cached_core_many(&self) -> Self::Found;
}

impl<Id, C: ManyOf<Id>> ManyPlain for &ManyProbe<C, Id> {
    type Found = Plain<C, Id>;

    fn __cached_core_many(&self) -> Self::Found {
        Plain(PhantomData)
    }
}

/// A return type of a batch over ids of type `Id`.
#[diagnostic::on_unimplemented(
    message = "a batch over ids of type `{Id}` cannot return `{Self}`",
    label = "write `HashMap<{Id}, T>`, `BTreeMap<{Id}, T>` or `Vec<Option<T>>`, or one of these in a `Result`",
    note = "the keys of a map are the ids: `Eq + Hash`, or `Ord`; of a `Vec` there is one element for each id, in their order, and `T` is `Clone`, since an id may be asked for twice"
)]
pub trait ManyReturn<Id> {}

/// Method resolution finds this last: it makes the one error, and returns a shape so that no other errors follow.
pub trait ManyRefused<R, Id> {
    /// The shape of a type that has none.
    fn __cached_core_many(&self) -> NoShape<R, Id>
    where
        R: ManyReturn<Id>;
}

impl<R, Id> ManyRefused<R, Id> for ManyProbe<R, Id> {
    fn __cached_core_many(&self) -> NoShape<R, Id>
    where
        R: ManyReturn<Id>,
    {
        NoShape(PhantomData)
    }
}

/// Stands for the shape of a type that no batch can return, so that there is no second error.
pub struct NoShape<R, Id>(PhantomData<fn() -> (R, Id)>);
marker!(NoShape<R, Id>);

impl<R, Id: Clone> ManyShape for NoShape<R, Id> {
    type Return = R;
    type Id = Id;
    type Item = ();

    fn is_same(_: &Id, _: &Id) -> bool {
        true
    }

    fn collect(_: &AskedIds<'_, Id>, _: Vec<Option<()>>, _: Vec<(Id, ())>) -> R {
        unreachable!("does not compile")
    }

    fn divide(returned: R, _: &[Id]) -> DivisionResult<Id, (), R> {
        Err(DivisionError::Failed(returned))
    }
}

/// The shape of one id's value, like that of a function that returns an `Option`.
#[must_use]
pub fn one<S: ManyShape>(_: S) -> OptionValue<S::Item> {
    OptionValue::default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(ids: &[u8]) -> AskedIds<'_, u8> {
        let mut asked = AskedIds { ids, firsts: Vec::new(), places: Vec::new() };
        for (at, id) in ids.iter().enumerate() {
            let place = asked.firsts.iter().position(|first| ids[*first] == *id);
            asked.places.push(place.unwrap_or(asked.firsts.len()));
            if place.is_none() {
                asked.firsts.push(at);
            }
        }
        asked
    }

    #[test]
    fn a_list_has_a_value_for_each_id_in_their_order() {
        let list = Vec::collect(&asked(&[3, 1, 3, 2, 1]), vec![Some("three"), Some("one"), None], vec![]);
        assert_eq!(list, [Some("three"), Some("one"), Some("three"), None, Some("one")]);
    }

    #[test]
    fn a_map_contains_only_the_ids_that_have_a_value() {
        let map: BTreeMap<u8, &str> = ManyOf::collect(&asked(&[3, 1, 3]), vec![None, Some("one")], vec![]);
        assert_eq!(map, BTreeMap::from([(1, "one")]));
        let divided = HashMap::from([(1, "one")]).divide(&[1, 2]).unwrap();
        assert!(!divided.is_unattributed());
        assert_eq!(divided.parts, [Part::Value("one"), Part::Absent]);
    }

    #[test]
    fn values_of_other_ids_are_kept_apart_and_leave_missing_ids_unknown() {
        let divided = BTreeMap::from([(1, "one"), (9, "nine")]).divide(&[1, 2]).unwrap();
        assert!(divided.is_unattributed());
        assert_eq!((divided.parts, &divided.strangers), (vec![Part::Value("one"), Part::Unknown], &vec![(9, "nine")]));
        let map: BTreeMap<u8, &str> = ManyOf::collect(&asked(&[1, 2]), vec![Some("one"), None], divided.strangers);
        assert_eq!(map, BTreeMap::from([(1, "one"), (9, "nine")]));
    }

    /// Names that are equal though spelled differently.
    #[derive(Clone, Copy, Debug, Eq)]
    struct Name(&'static str);

    impl PartialEq for Name {
        fn eq(&self, other: &Self) -> bool {
            self.0.eq_ignore_ascii_case(other.0)
        }
    }

    impl Hash for Name {
        fn hash<H: std::hash::Hasher>(&self, to: &mut H) {
            self.0.to_ascii_lowercase().hash(to);
        }
    }

    #[test]
    fn one_entry_of_two_ids_that_are_equal_does_not_make_the_other_absent() {
        let [upper, lower, other] = ["ADA", "ada", "eve"].map(Name);
        let divided = HashMap::from([(lower, 1)]).divide(&[upper, lower, other]).unwrap();
        assert!(divided.is_unattributed() && divided.strangers.is_empty());
        assert_eq!(divided.parts, [Part::Value(1), Part::Unknown, Part::Absent]);
    }

    #[test]
    fn a_list_of_another_length_is_refused() {
        let (list, values) = ManyOf::<u8>::divide(vec![Some(1)], &[1, 2]).unwrap_err();
        assert_eq!((list, values), (vec![Some(1)], 1));
    }

    #[test]
    fn an_alias_has_the_shape_of_its_type() {
        type Found<T> = Result<HashMap<u8, T>, String>;
        fn names<S: ManyShape>(_: S) -> &'static str {
            std::any::type_name::<(S::Item, S::Return)>()
        }
        macro_rules! names_of {
            ($ty:ty) => {
                names((&&&ManyProbe::<$ty, u8>::of(&[1])).__cached_core_many())
            };
        }
        assert_eq!(names_of!(Found<u64>), std::any::type_name::<(u64, Found<u64>)>());
        assert_eq!(names_of!(Vec<Option<u64>>), std::any::type_name::<(u64, Vec<Option<u64>>)>());
        assert_eq!(names_of!(BTreeMap<u8, u64>), std::any::type_name::<(u64, BTreeMap<u8, u64>)>());
    }
}
