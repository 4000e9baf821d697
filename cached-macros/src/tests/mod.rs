//! Snapshots of input and expansion side by side. The compiler messages that users see are in `ui-tests`.
//!
//! Bless with `INSTA_UPDATE=always cargo test -p cached-macros`, then read the difference.

/// A snapshot without the expression that made it.
macro_rules! snapshot {
    ($($arguments:tt)*) => {
        insta::with_settings!({ omit_expression => true }, { insta::assert_snapshot!($($arguments)*) })
    };
}

mod cached;
mod derive;
mod duration;
mod errors;
mod every_argument;
mod receiver;
mod spelling;
mod suggest;
mod template;
mod writes;

use proc_macro2::TokenStream;

use crate::attribute::attribute;
use crate::role::Role;

fn redis_cached(args: TokenStream, item: TokenStream) -> TokenStream {
    attribute(Role::Read, args, item)
}

/// Input and output as one text, both pretty-printed.
fn side_by_side(input: &TokenStream, expansion: &TokenStream) -> String {
    format!("// Input\n{}\n// Output\n{}", pretty(input), pretty(expansion))
}

/// Prints items. Prints a method inside an `impl`, because free functions have no receiver.
fn pretty(tokens: &TokenStream) -> String {
    let file = syn::parse2(tokens.clone()).or_else(|_| syn::parse2(quote::quote!(impl Subject { #tokens })));
    prettyplease::unparse(&file.unwrap_or_else(|error| panic!("{error}: {tokens}")))
}

/// The messages of all `compile_error!`s in an expansion, in order.
fn messages(expansion: TokenStream) -> Vec<String> {
    let mut found = Vec::new();
    let mut after_macro = false;
    for token in expansion {
        match token {
            proc_macro2::TokenTree::Ident(ident) => after_macro = ident == "compile_error",
            proc_macro2::TokenTree::Group(group) if after_macro => {
                let text: syn::LitStr = syn::parse2(group.stream()).unwrap();
                found.push(text.value());
                after_macro = false;
            }
            _ => {}
        }
    }
    found
}
