//! The names in the user's code, as far as they can be seen.

use std::collections::HashSet;

use proc_macro2::{TokenStream, TokenTree};
use syn::visit::{self, Visit};
use syn::{Expr, ExprPath, Ident, LitStr, Macro, PatIdent};

use crate::template::braced;

/// The names that stand alone as values in an expression and that it does not bind itself.
pub(super) fn values(code: &Expr) -> Vec<Ident> {
    let mut seen = Seen::default();
    seen.visit_expr(code);
    seen.free()
}

/// As [`values`], and what may be a name inside of a macro: `format!("{lang}", region)`.
pub(super) fn values_and_macros(code: &Expr) -> Vec<Ident> {
    let mut seen = Seen { in_macros: true, ..Seen::default() };
    seen.visit_expr(code);
    seen.free()
}

#[derive(Default)]
struct Seen {
    /// Bound by a parameter of a closure, by a `let`, or by any other pattern.
    bound: HashSet<Ident>,
    used: Vec<Ident>,
    in_macros: bool,
}

impl Seen {
    fn free(self) -> Vec<Ident> {
        let Self { bound, used, .. } = self;
        used.into_iter().filter(|name| !bound.contains(name)).collect()
    }

    fn tokens(&mut self, tokens: TokenStream) {
        let mut after_dot = false;
        for token in tokens {
            match &token {
                TokenTree::Group(group) => self.tokens(group.stream()),
                TokenTree::Ident(name) if !after_dot => self.used.push(name.clone()),
                TokenTree::Literal(literal) => self.format_string(literal),
                TokenTree::Ident(_) | TokenTree::Punct(_) => {}
            }
            after_dot = matches!(&token, TokenTree::Punct(punct) if punct.as_char() == '.');
        }
    }

    /// `"{lang}"`, `"{id:04}"`
    fn format_string(&mut self, literal: &proc_macro2::Literal) {
        let Ok(text) = syn::parse_str::<LitStr>(&literal.to_string()) else { return };
        for (name, _) in braced(&text.value()) {
            let name = name.split(':').next().unwrap_or_default();
            if let Ok(mut name) = syn::parse_str::<Ident>(name) {
                name.set_span(literal.span());
                self.used.push(name);
            }
        }
    }
}

impl Visit<'_> for Seen {
    fn visit_pat_ident(&mut self, pat: &PatIdent) {
        self.bound.insert(pat.ident.clone());
        visit::visit_pat_ident(self, pat);
    }

    fn visit_expr_path(&mut self, path: &ExprPath) {
        self.used.extend(path.path.get_ident().cloned());
    }

    fn visit_macro(&mut self, call: &Macro) {
        if self.in_macros {
            self.tokens(call.tokens.clone());
        }
    }
}
