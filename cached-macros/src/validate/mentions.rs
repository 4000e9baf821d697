//! Finds the names in the user's code, as far as the tokens show them.

use std::collections::HashSet;

use proc_macro2::{Delimiter, TokenStream, TokenTree};
use syn::visit::{self, Visit};
use syn::{Expr, ExprField, ExprPath, Ident, LitStr, Macro, Member, PatIdent, UnOp};

use super::scope::spelled;
use crate::template::braced;

/// A name and the path to one of its fields: `page.from`.
pub(super) struct Mention {
    pub(super) name: Ident,
    pub(super) fields: Vec<String>,
}

/// The names that an expression uses as values and does not bind itself.
pub(super) fn values(code: &Expr) -> Vec<Ident> {
    let mut finder = Finder::default();
    finder.visit_expr(code);
    finder.free().into_iter().map(|mention| mention.name).collect()
}

/// Like [`values`], but with fields and with possible names inside of macros: `format!("{lang}", region)`.
pub(super) fn values_and_macros(code: &Expr) -> Vec<Mention> {
    let mut finder = Finder { in_macros: true, ..Finder::default() };
    finder.visit_expr(code);
    finder.free()
}

#[derive(Default)]
struct Finder {
    /// Bound by a parameter of a closure, by a `let`, or by any other pattern.
    bound: HashSet<Ident>,
    used: Vec<Mention>,
    in_macros: bool,
}

impl Finder {
    fn free(self) -> Vec<Mention> {
        let Self { bound, used, .. } = self;
        used.into_iter().filter(|mention| !bound.contains(&mention.name)).collect()
    }

    fn name(&mut self, name: Ident) {
        self.used.push(Mention { name, fields: Vec::new() });
    }

    fn tokens(&mut self, tokens: TokenStream) {
        let mut after_dot = false;
        // Whether the next field belongs to the last name.
        let mut in_place = false;
        for token in tokens {
            let is_dot = matches!(&token, TokenTree::Punct(punct) if punct.as_char() == '.');
            match &token {
                TokenTree::Group(group) => {
                    let last = self.used.last_mut().filter(|_| in_place && group.delimiter() == Delimiter::Parenthesis);
                    // The last field was the name of a method.
                    last.and_then(|last| last.fields.pop());
                    self.tokens(group.stream());
                }
                TokenTree::Ident(name) if !after_dot => self.name(name.clone()),
                TokenTree::Literal(literal) if !after_dot => self.format_string(literal),
                TokenTree::Ident(_) | TokenTree::Literal(_) if in_place => {
                    if let Some(last) = self.used.last_mut() {
                        last.fields.extend(token.to_string().split('.').map(str::to_owned));
                    }
                }
                TokenTree::Ident(_) | TokenTree::Literal(_) | TokenTree::Punct(_) => {}
            }
            in_place = match &token {
                TokenTree::Ident(_) => !after_dot || in_place,
                TokenTree::Literal(_) => after_dot && in_place,
                TokenTree::Punct(_) => is_dot && in_place,
                TokenTree::Group(_) => false,
            };
            after_dot = is_dot;
        }
    }

    /// `"{lang}"`, `"{id:04}"`
    fn format_string(&mut self, literal: &proc_macro2::Literal) {
        let Ok(text) = syn::parse_str::<LitStr>(&literal.to_string()) else { return };
        for (name, _) in braced(&text.value()) {
            let name = name.split(':').next().unwrap_or_default();
            if let Ok(mut name) = syn::parse_str::<Ident>(name) {
                name.set_span(literal.span());
                self.name(name);
            }
        }
    }
}

impl Visit<'_> for Finder {
    fn visit_pat_ident(&mut self, pat: &PatIdent) {
        self.bound.insert(pat.ident.clone());
        visit::visit_pat_ident(self, pat);
    }

    fn visit_expr_path(&mut self, path: &ExprPath) {
        if let Some(name) = path.path.get_ident() {
            self.name(name.clone());
        }
    }

    fn visit_expr_field(&mut self, field: &ExprField) {
        match place(&field.base) {
            Some(mut mention) => {
                mention.fields.push(member(&field.member));
                self.used.push(mention);
            }
            None => visit::visit_expr_field(self, field),
        }
    }

    fn visit_macro(&mut self, call: &Macro) {
        if self.in_macros {
            self.tokens(call.tokens.clone());
        }
    }
}

/// `page`, `page.from`, `(*page).from`
fn place(code: &Expr) -> Option<Mention> {
    match code {
        Expr::Path(path) => Some(Mention { name: path.path.get_ident()?.clone(), fields: Vec::new() }),
        Expr::Field(field) => {
            let mut place = place(&field.base)?;
            place.fields.push(member(&field.member));
            Some(place)
        }
        Expr::Paren(code) => place(&code.expr),
        Expr::Group(code) => place(&code.expr),
        Expr::Reference(code) => place(&code.expr),
        Expr::Unary(code) if matches!(code.op, UnOp::Deref(_)) => place(&code.expr),
        _ => None,
    }
}

/// A field as templates write it.
pub(super) fn member(member: &Member) -> String {
    match member {
        Member::Named(name) => spelled(name),
        Member::Unnamed(index) => index.index.to_string(),
    }
}
