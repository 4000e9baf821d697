//! Tokens of the attribute -> [`Options`]. Answers one question only: can this attribute be read?

use proc_macro2::{TokenStream, TokenTree};
use syn::ext::IdentExt;
use syn::parse::{ParseStream, Parser};
use syn::punctuated::Punctuated;
use syn::{Expr, ExprLit, Ident, Lit, LitStr, Path, Token, token};

use crate::ast::{Options, Setting};
use crate::diagnostics::{Errors, list};
use crate::duration;
use crate::suggest::option_meant;

/// Every option and how it is written. Messages and suggestions come from here; a new option begins here.
const OPTIONS: [(&str, &str); 10] = [
    ("key", "key = \"user:<id>\""),
    ("skip", "skip(db)"),
    ("ttl", "ttl = \"5m\""),
    ("jitter", "jitter = 0.1"),
    ("none_ttl", "none_ttl = \"30s\""),
    ("cache_if", "cache_if = |value| value.is_final"),
    ("version", "version = 2"),
    ("codec", "codec = \"json\""),
    ("cache", "cache = self.cache"),
    ("crate", "crate = ::cached_core"),
];

/// Reads all options; a broken one is reported and the next one is read.
pub(crate) fn options(tokens: TokenStream, errors: &mut Errors) -> Options {
    let mut options = Options::default();
    let mut misspelt = Vec::new();
    let parser = |input: ParseStream<'_>| {
        while !input.is_empty() {
            if let Err(error) = option(input, &mut options, &mut misspelt, errors) {
                errors.push(error);
                skip_to_comma(input)?;
            }
            if !input.is_empty() {
                input.parse::<Token![,]>()?;
            }
        }
        Ok(())
    };
    if let Err(error) = parser.parse2(tokens) {
        errors.push(error);
    }
    // Only now: the option itself may follow its misspelling.
    for option in misspelt {
        match option {
            "skip" => options.skip.not_missing(),
            "key" => options.key.not_missing(),
            _ => {}
        }
    }
    options
}

/// Reads one option, up to the comma that ends it.
fn option(
    input: ParseStream<'_>,
    options: &mut Options,
    misspelt: &mut Vec<&str>,
    errors: &mut Errors,
) -> syn::Result<()> {
    if !input.peek(Ident::peek_any) {
        return Err(positional(input));
    }
    let name = input.call(Ident::parse_any)?;
    match name.to_string().as_str() {
        "key" => read(&mut options.key, name, input, errors, text),
        "skip" => read(&mut options.skip, name, input, errors, names),
        "ttl" => read(&mut options.ttl, name, input, errors, expression),
        "jitter" => read(&mut options.jitter, name, input, errors, expression),
        "none_ttl" => read(&mut options.none_ttl, name, input, errors, text),
        "cache_if" => read(&mut options.cache_if, name, input, errors, expression),
        "version" => read(&mut options.version, name, input, errors, expression),
        "codec" => read(&mut options.codec, name, input, errors, text),
        "cache" => read(&mut options.cache, name, input, errors, expression),
        "crate" => read(&mut options.crate_path, name, input, errors, path),
        other => {
            let known = || OPTIONS.iter().map(|(name, _)| *name);
            let meant = option_meant(other, known());
            misspelt.extend(meant);
            let suggestion = meant.map(|name| format!("did you mean `{name}`? ")).unwrap_or_default();
            let all = list(known());
            Err(syn::Error::new(name.span(), format!("unknown option `{other}`; {suggestion}options: {all}")))
        }
    }
}

/// A value without a name in front of it.
fn positional(input: ParseStream<'_>) -> syn::Error {
    let here = input.fork();
    let (value, option) = match input.parse() {
        Ok(Lit::Str(text)) if duration::millis(&text.value()).is_ok() => (text.token(), "ttl"),
        Ok(Lit::Str(text)) => (text.token(), "key"),
        Ok(Lit::Int(number)) if !number.base10_digits().starts_with('-') => {
            let digits = number.base10_digits();
            let message = format!("every option has a name, and a duration a unit; write `ttl = \"{digits}s\"`");
            return syn::Error::new_spanned(number, message);
        }
        // What has been read by now would be missing from the place of the error.
        _ => return here.error(format!("expected an option: {}", list(OPTIONS.iter().map(|(name, _)| name)))),
    };
    let message = format!("every option has a name; write `{option} = {value}`");
    syn::Error::new_spanned(value, message)
}

/// Stores a value, unless the option has been given before. The value is read in any case, so that its own faults show.
fn read<T>(
    setting: &mut Setting<T>,
    name: Ident,
    input: ParseStream<'_>,
    errors: &mut Errors,
    value: fn(ParseStream<'_>, &Ident) -> syn::Result<T>,
) -> syn::Result<()> {
    let repeated = !setting.is_absent();
    if repeated {
        errors.on(&name, format!("`{name}` is given twice; remove one of the two"));
    }
    let written = input.fork();
    match value(input, &name) {
        Ok(value) if !repeated => *setting = Setting::Given { name, value },
        Ok(_) => {}
        Err(error) => {
            if !repeated {
                *setting = Setting::Broken;
            }
            return Err(unfinished(error, &name, &written));
        }
    }
    if input.is_empty() || input.peek(Token![,]) {
        Ok(())
    } else {
        Err(input.error("expected `,` before the next option"))
    }
}

/// What ends too early is reported by `syn` at the whole attribute, since there is no token to point at. The ones that
/// are there say more: `ttl = self.` is how an option looks while it is being typed.
fn unfinished(error: syn::Error, name: &Ident, written: ParseStream<'_>) -> syn::Error {
    if !error.to_string().starts_with("unexpected end") {
        return error;
    }
    let mut tokens = TokenStream::from(TokenTree::Ident(name.clone()));
    while let Ok(token) = written.parse::<TokenTree>() {
        if matches!(&token, TokenTree::Punct(punct) if punct.as_char() == ',') {
            break;
        }
        tokens.extend([token]);
    }
    let message = format!("the value of `{name}` is not finished; write for example `{}`", example(name));
    syn::Error::new_spanned(tokens, message)
}

/// `= expr`.
fn expression(input: ParseStream<'_>, name: &Ident) -> syn::Result<Expr> {
    equals(input, name)?;
    input.parse().map(ungroup)
}

/// `= "text"`.
fn text(input: ParseStream<'_>, name: &Ident) -> syn::Result<LitStr> {
    match expression(input, name)? {
        Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) => Ok(text),
        other => {
            let message = format!("`{name}` takes a string literal; write `{}`", example(name));
            Err(syn::Error::new_spanned(other, message))
        }
    }
}

/// `= ::path::to::the_crate`.
fn path(input: ParseStream<'_>, name: &Ident) -> syn::Result<Path> {
    equals(input, name)?;
    if input.peek(syn::LitStr) {
        let message = format!("`{name}` takes a path, without quotes; write `{}`", example(name));
        return Err(input.error(message));
    }
    input.call(Path::parse_mod_style)
}

/// `(a, b)`.
fn names(input: ParseStream<'_>, name: &Ident) -> syn::Result<Vec<Ident>> {
    if !input.peek(token::Paren) {
        let message = format!("`{name}` lists arguments in parentheses; write `{}`", example(name));
        return Err(syn::Error::new(name.span(), message));
    }
    let content;
    syn::parenthesized!(content in input);
    match Punctuated::<Ident, Token![,]>::parse_terminated_with(&content, Ident::parse_any) {
        Ok(names) => Ok(names.into_iter().collect()),
        Err(error) => {
            // What is left of the parentheses would be reported as well.
            content.parse::<TokenStream>()?;
            let message = format!("`{name}` lists names of arguments; write `{}`", example(name));
            Err(syn::Error::new(error.span(), message))
        }
    }
}

/// The `=` and something after it.
fn equals(input: ParseStream<'_>, name: &Ident) -> syn::Result<()> {
    let written = input.peek(Token![=]) && !input.peek(Token![==]);
    if written {
        input.parse::<Token![=]>()?;
    }
    if !written || input.is_empty() || input.peek(Token![,]) {
        return Err(syn::Error::new(name.span(), format!("`{name}` needs a value; write `{}`", example(name))));
    }
    Ok(())
}

fn example(name: &Ident) -> &'static str {
    OPTIONS.iter().find(|(option, _)| name == option).map_or("", |(_, example)| example)
}

/// `macro_rules!` hands its fragments over in invisible groups; the literal or closure inside is meant.
fn ungroup(expr: Expr) -> Expr {
    match expr {
        Expr::Group(group) => ungroup(*group.expr),
        other => other,
    }
}

fn skip_to_comma(input: ParseStream<'_>) -> syn::Result<()> {
    while !input.is_empty() && !input.peek(Token![,]) {
        input.parse::<TokenTree>()?;
    }
    Ok(())
}
