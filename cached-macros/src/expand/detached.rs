//! A body that may become a task: it owns everything that it uses.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{quote, quote_spanned};

use crate::model::{Capture, Frame, TaskBody};
use crate::paths::located_at;
use crate::receiver;

/// The name of the clone of a borrowed `self`.
const SELF: &str = "__cached_self";

/// The future of the body.
// Input:  &self, db: &Db, id: u64
// Output:
//     {
//         let __cached_self = Borrowing(self).own();
//         let db = Borrowing(db).own();
//         moved(&id);
//         async move { let __cached_self = __cached_self.lend(); let db = db.lend(); body }
//     }
pub(super) fn body(frame: &Frame, detached: &TaskBody, stmts: &TokenStream) -> TokenStream {
    let at = frame.at();
    let mut captures: Vec<TokenStream> = detached.captures.iter().map(|argument| capture(frame, argument)).collect();
    let borrowed = detached.captures.iter().filter(|argument| argument.is_borrowed);
    let mut lent: Vec<TokenStream> = borrowed.map(|argument| lend(&argument.name, &argument.cfg)).collect();
    let mut stmts = stmts.clone();
    if let Some((name, is_borrowed)) = &detached.receiver {
        let support = frame.support_at(name.span());
        if *is_borrowed {
            let clone = Ident::new(SELF, name.span());
            captures.push(clone_of(&support, &clone, name));
            lent.push(lend(&clone, &[]));
            stmts = receiver::replaced(stmts, SELF);
        } else {
            captures.push(check(&support, name));
        }
    }
    let body = frame.body(&quote!(move), &quote!(#(#lent)* #stmts));
    quote_spanned! {at=>
        {
            #(#captures)*
            #body
        }
    }
}

/// The span of generated code at an argument, where rustc reports a wrong type of it.
fn here(name: &Ident) -> Span {
    Span::mixed_site().located_at(name.span())
}

fn capture(frame: &Frame, argument: &Capture) -> TokenStream {
    let Capture { name, is_borrowed, cfg } = argument;
    let here = here(name);
    let support = located_at(&frame.support, here);
    let capture = if *is_borrowed { clone_of(&support, name, name) } else { check(&support, name) };
    quote_spanned!(here=> #(#cfg)* #[allow(unused_variables, clippy::used_underscore_binding)] #capture)
}

fn clone_of(support: &TokenStream, clone: &Ident, name: &Ident) -> TokenStream {
    let here = here(name);
    quote_spanned! {here=>
        let #clone = {
            use #support::Unclonable as _;
            #support::Borrowing(#name).__cached_core_own()
        };
    }
}

fn check(support: &TokenStream, name: &Ident) -> TokenStream {
    let here = here(name);
    quote_spanned!(here=> { #support::moved(&#name); })
}

fn lend(name: &Ident, cfg: &[syn::Attribute]) -> TokenStream {
    let here = here(name);
    quote_spanned! {here=>
        #(#cfg)*
        #[allow(unused_variables, clippy::used_underscore_binding)]
        let #name = #name.__cached_core_lend();
    }
}
