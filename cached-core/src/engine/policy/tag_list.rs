//! The list of tags that the closure of `tags` returns.

use crate::invalidation::Tag;

/// Several tags: a list, an array, an `Option`, or any other iterator of texts.
#[diagnostic::on_unimplemented(
    message = "the closure of `tags` returns a list of tags, and `{Self}` is none",
    label = "returns `{Self}`, which is no list of texts",
    note = "one tag stands in brackets: `tags = |value: &T| [format!(\"shelf:{{}}\", value.shelf)]`",
    note = "each tag is a `String` or a `&'static str`: write `.to_string()` behind a number, and `.to_owned()` behind a text that is borrowed"
)]
pub trait TagList {
    /// The tags.
    fn tags(self) -> Vec<Tag>;
}

#[diagnostic::do_not_recommend]
impl<I: IntoIterator<Item: Into<Tag>>> TagList for I {
    fn tags(self) -> Vec<Tag> {
        self.into_iter().map(Into::into).collect()
    }
}
