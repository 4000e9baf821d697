//! A whole key, as it stands in the store.

use std::borrow::Borrow;
use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

/// A key as it stands in the store, prefix included.
///
/// It is a text that is shared: a clone copies no bytes. It compares, orders and hashes as its text does, so a map by
/// keys can be asked by `&str`.
///
/// ```
/// use cached_core::store::Key;
/// use std::collections::HashMap;
///
/// let key = Key::from("shop:k:user:42");
/// assert_eq!(key.as_str(), "shop:k:user:42");
/// let sizes = HashMap::from([(key.clone(), 8)]);
/// assert_eq!(sizes["shop:k:user:42"], 8);
/// ```
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key(Arc<str>);

impl Key {
    /// The text.
    ///
    /// ```
    /// assert_eq!(cached_core::store::Key::from("user:42").as_str(), "user:42");
    /// ```
    #[must_use]
    #[inline]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Deref for Key {
    type Target = str;

    #[inline]
    fn deref(&self) -> &str {
        &self.0
    }
}

impl Borrow<str> for Key {
    #[inline]
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl AsRef<str> for Key {
    #[inline]
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl From<&str> for Key {
    fn from(text: &str) -> Self {
        Self(text.into())
    }
}

impl From<String> for Key {
    fn from(text: String) -> Self {
        Self(text.into())
    }
}

impl From<Arc<str>> for Key {
    fn from(text: Arc<str>) -> Self {
        Self(text)
    }
}

impl PartialEq<str> for Key {
    fn eq(&self, other: &str) -> bool {
        self.as_str() == other
    }
}

impl PartialEq<&str> for Key {
    fn eq(&self, other: &&str) -> bool {
        self.as_str() == *other
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self.as_str(), f)
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn a_key_is_as_its_text() {
        let (key, text) = (Key::from("user:42"), "user:42");
        assert_eq!(
            (key.to_string(), format!("{key:?}"), format!("{key:>9}")),
            (text.into(), format!("{text:?}"), format!("{text:>9}"))
        );
        assert!(key == *text && key == text && key == Key::from(text.to_owned()) && key != Key::from("user:43"));
        assert!(HashSet::from([key.clone()]).contains(text));
        assert!(Key::from("a") < Key::from("b"));
    }

    /// A call clones its key; a hit must not pay for a copy of the text.
    #[test]
    fn a_clone_shares_the_text() {
        let text: Arc<str> = "user:42".into();
        let key = Key::from(Arc::clone(&text));
        assert!(std::ptr::eq(key.clone().as_str(), &raw const *text) && Arc::strong_count(&text) == 2);
        assert_eq!(size_of::<Option<Key>>(), size_of::<Arc<str>>());
    }
}
