//! Gives `self` in a body another name, because `self` cannot be bound to another value.
//!
//! It replaces tokens, as `async_trait` does inside of macros: the body may be half typed, and the meaning of macro
//! arguments is unknown.

use proc_macro2::{Delimiter, Group, Ident, Literal, TokenStream, TokenTree};
use syn::LitStr;

/// The same tokens, with `name` for every `self` that is the receiver of this function.
// Input:  let user = self.db.find(id); use self::rows::{self}; fn nested(this: &Self) { }
// Output: let user = __cached_self.db.find(id); use self::rows::{self}; fn nested(this: &Self) { }
pub(crate) fn replaced(tokens: TokenStream, name: &str) -> TokenStream {
    Walk { name, in_strings: Vec::new() }.tokens(tokens, false)
}

/// The format strings that may name `self`, where it cannot be replaced: `println!("{self}")`.
pub(crate) fn in_strings(tokens: TokenStream) -> Vec<Literal> {
    let mut walk = Walk { name: "self", in_strings: Vec::new() };
    walk.tokens(tokens, false);
    walk.in_strings
}

struct Walk<'a> {
    name: &'a str,
    in_strings: Vec<Literal>,
}

impl Walk<'_> {
    fn tokens(&mut self, tokens: TokenStream, in_macro: bool) -> TokenStream {
        let mut out = Vec::new();
        let mut tokens = tokens.into_iter().peekable();
        // The nested item that the token is in. It ends with a block or a semicolon.
        let mut item = None;
        while let Some(token) = tokens.next() {
            let before = out.last();
            if item.is_none() {
                item = Item::begins(&token, before, tokens.peek());
            }
            let is_end = item.is_some_and(|item| item.ends(&token));
            let replaced = match token {
                token if item.is_some() => token,
                TokenTree::Ident(word) if word == "self" && !is_path(before, tokens.peek()) => {
                    TokenTree::Ident(Ident::new(self.name, word.span()))
                }
                TokenTree::Group(group) => {
                    let in_macro = in_macro || is_punct(before, '!');
                    let mut inside = Group::new(group.delimiter(), self.tokens(group.stream(), in_macro));
                    inside.set_span(group.span());
                    TokenTree::Group(inside)
                }
                TokenTree::Literal(literal) if in_macro && formats_self(&literal) => {
                    self.in_strings.push(literal.clone());
                    TokenTree::Literal(literal)
                }
                other => other,
            };
            if is_end {
                item = None;
            }
            out.push(replaced);
        }
        out.into_iter().collect()
    }
}

/// `"{self}"`, `"{self:?}"`, but not `"{{self}}"`.
fn formats_self(literal: &Literal) -> bool {
    let Ok(text) = syn::parse_str::<LitStr>(&literal.to_string()) else { return false };
    let text = text.value().replace("{{", "");
    text.contains("{self}") || text.contains("{self:")
}

/// `self::rows`, and `$self` of a nested `macro_rules!`.
fn is_path(before: Option<&TokenTree>, next: Option<&TokenTree>) -> bool {
    is_punct(before, '$') || is_punct(next, ':') && matches!(next, Some(TokenTree::Punct(colon)) if is_joint(colon))
}

fn is_joint(punct: &proc_macro2::Punct) -> bool {
    punct.spacing() == proc_macro2::Spacing::Joint
}

fn is_punct(token: Option<&TokenTree>, which: char) -> bool {
    matches!(token, Some(TokenTree::Punct(punct)) if punct.as_char() == which)
}

/// A nested item, which has a `self` of its own.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Item {
    /// `fn f(&self) { .. }`, `impl`, `trait`
    Block,
    /// `use a::{self};`
    Line,
}

impl Item {
    fn begins(token: &TokenTree, before: Option<&TokenTree>, next: Option<&TokenTree>) -> Option<Self> {
        let TokenTree::Ident(word) = token else { return None };
        let is_named = matches!(next, Some(TokenTree::Ident(_)));
        match word.to_string().as_str() {
            // Not the type `fn(u64)`.
            "fn" | "trait" if is_named => Some(Self::Block),
            "impl" if !is_punct(before, ':') && !is_punct(before, '<') && !is_punct(before, '&') => Some(Self::Block),
            "use" => Some(Self::Line),
            _ => None,
        }
    }

    fn ends(self, token: &TokenTree) -> bool {
        match (self, token) {
            (Self::Block, TokenTree::Group(group)) => group.delimiter() == Delimiter::Brace,
            (_, TokenTree::Punct(punct)) => punct.as_char() == ';',
            _ => false,
        }
    }
}
