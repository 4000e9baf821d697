//! [`Model`] -> tokens. This cannot fail, because a [`Model`] cannot hold a fault.
//!
//! The macros generate little code: one `static` that describes the function, and one call. The runtime decides from
//! the real types what is cached, for how long, and what a write does about it.

mod batch;
mod detached;
mod each;
mod event;
mod late;
mod read;
mod segment;
mod site;
mod write;

use proc_macro2::{Ident, Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::ext::IdentExt;
use syn::spanned::Spanned;

use crate::model::{Action, Frame, Model};
use crate::paths::located_at;
use crate::signature::regroup;

/// The function, with generated code around its body.
// Input:
//     async fn find(id: u64) -> Ret { body }
// Output:
//     async fn find(id: u64) -> Ret {
//         static __CACHED_SITE: Site = ..;
//         .. async move { body } ..
//     }
pub(crate) fn expand(model: &Model) -> TokenStream {
    let frame = &model.frame;
    let function = &frame.function;
    let attrs = function.outer_attributes();
    let (vis, sig) = (&function.vis, &function.sig);
    let body = match &frame.boxed {
        None => regroup(&function.body, statements(model, &function.body.stream())),
        Some(boxed) => {
            let (pin, head, rest) = (&boxed.pin, &boxed.head, &boxed.rest);
            let statements = statements(model, &quote!(#(#rest)*));
            let mut shell = boxed.shell.clone();
            shell.block.stmts.clear();
            let syn::ExprAsync { attrs, async_token, capture, .. } = &shell;
            regroup(&function.body, quote!(#pin(#(#attrs)* #async_token #capture { #(#head)* #statements })))
        }
    };
    quote!(#(#attrs)* #vis #sig #body)
}

/// The statements that replace the user's.
fn statements(model: &Model, stmts: &TokenStream) -> TokenStream {
    let frame = &model.frame;
    let site = site::site(frame, &model.action);
    let body = || frame.body(&quote!(move), stmts);
    let around = match &model.action {
        Action::Read(entry) => read::read(frame, entry, stmts),
        Action::Batch(entry, batch) => batch::batch(frame, entry, batch, stmts),
        Action::Bracket { what, unavailable } => write::bracket(frame, what, *unavailable, &body()),
        Action::After(what) => write::after(frame, what, &body()),
        Action::Put { entry, emits, unavailable } => write::put(frame, entry, emits, *unavailable, &body()),
    };
    quote!(#site #around)
}

impl Frame {
    /// The span of generated code: the return type, so that rustc reports a value that cannot be cached there and not
    /// at the attribute. Hygiene hides names such as `call` and `policy` from the body.
    fn at(&self) -> Span {
        Span::mixed_site().located_at(self.returns.span())
    }

    /// The path of the support module, located like all generated code.
    fn support(&self) -> TokenStream {
        self.support_at(self.at())
    }

    /// The path of the support module, located at `span`.
    fn support_at(&self, span: Span) -> TokenStream {
        located_at(&self.support, span)
    }

    /// The user's body as an async block with this capture mode.
    fn body(&self, capture: &TokenStream, stmts: &TokenStream) -> TokenStream {
        let at = self.at();
        let support = self.support();
        let returns = &self.returns;
        // The unreachable `return` tells rustc what `?` converts to. It goes into the user's own block, because another
        // block around that would trigger `unused_braces`.
        let edge = quote_spanned!(at=> if false { return #support::returns::<#returns>(); });
        let body = regroup(&self.function.body, quote!(#edge #stmts));
        quote_spanned!(at=> async #capture #body)
    }

    /// `let shape`: how to take the return type apart.
    fn shape(&self) -> TokenStream {
        let at = self.at();
        let support = self.support();
        let returns = &self.returns;
        quote_spanned! {at=>
            let shape = {
                use #support::{ShapeOfOption as _, ShapeOfResult as _, ShapeOfResultOption as _, ShapeOfValue as _};
                (&&&&#support::Probe::<#returns>::NEW).__cached_core_shape()
            };
        }
    }

    /// The attribute for a statement that uses a name with a leading underscore: clippy would blame the user for our
    /// use of it.
    fn silence(&self, is_underscored: bool) -> Option<TokenStream> {
        let at = self.at();
        is_underscored.then(|| quote_spanned!(at=> #[allow(clippy::used_underscore_binding)]))
    }
}

fn is_underscored(name: &Ident) -> bool {
    name.unraw().to_string().starts_with('_')
}
