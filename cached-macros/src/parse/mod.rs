//! Tokens of an attribute -> [`Options`]. Decides only whether the attribute can be read.

mod each;
mod event;
mod known;
mod value;

use proc_macro2::{TokenStream, TokenTree};
use syn::ext::IdentExt;
use syn::parse::{ParseStream, Parser};
use syn::{Ident, Lit, Token};

use crate::ast::{Event, Many, Options, Setting};
use crate::diagnostics::{Errors, list};
use crate::duration;
use crate::role::Role;
use crate::spelling::spell_event;
use crate::template;

/// Reads all options. Reports a broken one and goes on with the next one.
pub(crate) fn options(role: Role, tokens: TokenStream, errors: &mut Errors) -> Options {
    let mut reader = Reader { role, options: Options::default(), misspelt: Vec::new(), errors };
    let parser = |input: ParseStream<'_>| {
        while !input.is_empty() {
            if let Err(error) = reader.option(input) {
                reader.errors.push(error);
                skip_to_comma(input)?;
            }
            if !input.is_empty() {
                input.parse::<Token![,]>()?;
            }
        }
        Ok(())
    };
    if let Err(error) = parser.parse2(tokens) {
        reader.errors.push(error);
    }
    let Reader { mut options, misspelt, .. } = reader;
    // Done last, because the option itself may follow its misspelling.
    for option in misspelt {
        match option {
            "skip" => options.skip.mark_misspelt(),
            "uncommitted" => options.uncommitted.mark_misspelt(),
            "key" => options.key.mark_misspelt(),
            "mode" => options.mode.mark_misspelt(),
            _ => {}
        }
    }
    options
}

/// Reads the options of one attribute.
struct Reader<'e> {
    role: Role,
    options: Options,
    /// The options that unknown ones probably mean.
    misspelt: Vec<&'static str>,
    errors: &'e mut Errors,
}

impl Reader<'_> {
    /// Reads one option, up to the comma that ends it.
    fn option(&mut self, input: ParseStream<'_>) -> syn::Result<()> {
        let (role, options) = (self.role, &mut self.options);
        if each::is_ahead(input) {
            options.each.0.push(each::each(role, input, self.errors)?);
            return ends(input);
        }
        if event::is_ahead(input) {
            let is_listening = !options.invalidate_on.is_absent();
            let event = positional_event(role, is_listening, input)?;
            options.emits.0.push(event);
            return ends(input);
        }
        if !input.peek(Ident::peek_any) {
            let (error, meant) = positional(role, input);
            self.misspelt.extend(meant);
            return Err(error);
        }
        let name = input.call(Ident::parse_any)?;
        let spelled = name.to_string();
        if !known::has(role, &spelled) {
            let is_call = input.peek(syn::token::Paren);
            let (message, meant) = if is_call && role == Role::Invalidate && known::is_unheard(&spelled) {
                (known::call(&spelled), None)
            } else {
                known::unknown(role, &spelled)
            };
            self.misspelt.extend(meant);
            return Err(syn::Error::new(name.span(), message));
        }
        let mut slot = Slot { role, name, input, errors: self.errors };
        match spelled.as_str() {
            "key" if role == Role::Invalidate => slot.add(&mut options.removes, value::one_text),
            "key" => slot.read(&mut options.key, value::text),
            "tag" => slot.add(&mut options.tag, value::one_text),
            "skip" => slot.read(&mut options.skip, value::names),
            "uncommitted" => slot.read(&mut options.uncommitted, value::text),
            "ttl" => slot.read(&mut options.ttl, value::expression),
            "jitter" => slot.read(&mut options.jitter, value::expression),
            "none_ttl" => slot.read(&mut options.none_ttl, value::text),
            "cache_if" => slot.read(&mut options.cache_if, value::expression),
            "error_if" => slot.read(&mut options.error_if, value::expression),
            "error_ttl" => slot.read(&mut options.error_ttl, value::text),
            "invalidate_on" => slot.read(&mut options.invalidate_on, event::events),
            "tags" => slot.read(&mut options.tags, value::tags),
            "version" => slot.read(&mut options.version, value::expression),
            "codec" => slot.read(&mut options.codec, value::text),
            "batch" => slot.read(&mut options.batch, value::one_name),
            "local" => slot.read(&mut options.local, value::text),
            "on_gap" => slot.read(&mut options.on_gap, value::text),
            "stale_while_revalidate" => slot.read(&mut options.stale_while_revalidate, value::text),
            "stale_if_error" => slot.read(&mut options.stale_if_error, value::text),
            "refresh_ahead" => slot.read(&mut options.refresh_ahead, value::optional),
            "refresh" => slot.read(&mut options.refresh, value::text),
            "spawn" => slot.read(&mut options.spawn, value::flag),
            "load_timeout" => slot.read(&mut options.load_timeout, value::text),
            "mode" => slot.read(&mut options.mode, value::text),
            "on_unavailable" => slot.read(&mut options.on_unavailable, value::text),
            "cache" => slot.read(&mut options.cache, value::expression),
            _ => slot.read(&mut options.crate_path, value::path),
        }
    }
}

/// The place of an option's value.
struct Slot<'a, 'e> {
    role: Role,
    name: Ident,
    input: ParseStream<'a>,
    errors: &'e mut Errors,
}

/// Reads the value of an option.
type Read<T> = fn(ParseStream<'_>, &Ident) -> syn::Result<T>;

impl Slot<'_, '_> {
    /// Stores the value, unless the option was given before. Reads the value in any case, so that its own faults are
    /// reported.
    fn read<T>(&mut self, setting: &mut Setting<T>, value: Read<T>) -> syn::Result<()> {
        let name = self.name.clone();
        let repeated = !setting.is_absent();
        if repeated {
            let advice = if name == "invalidate_on" || name == "tags" {
                format!("write one list, `{name} = [.., ..]`")
            } else if name == "key" && self.role == Role::Put {
                format!(
                    "a put stores under one key, so remove one of the two; for other entries {}",
                    known::of_others("key = ..")
                )
            } else {
                "remove one of the two".to_owned()
            };
            self.errors.on(&name, format!("`{name}` is given twice; {advice}"));
        }
        let read = self.value(value);
        if !repeated {
            *setting = Setting::Broken;
        }
        let value = read?;
        if !repeated {
            *setting = Setting::Given { name, value };
        }
        ends(self.input)
    }

    /// Stores one more value.
    fn add<T>(&mut self, values: &mut Many<T>, value: Read<T>) -> syn::Result<()> {
        values.0.push(self.value(value)?);
        ends(self.input)
    }

    fn value<T>(&self, value: Read<T>) -> syn::Result<T> {
        let written = self.input.fork();
        value(self.input, &self.name).map_err(|error| value::unfinished(error, &self.name, &written))
    }
}

/// Checks that a comma or nothing follows a value.
fn ends(input: ParseStream<'_>) -> syn::Result<()> {
    if input.is_empty() || input.peek(Token![,]) {
        Ok(())
    } else {
        Err(input.error("expected `,` before the next option"))
    }
}

/// Reads an event that is not the value of an option, which a write causes. In a function that reads, it is a fault.
fn positional_event(role: Role, is_listening: bool, input: ParseStream<'_>) -> syn::Result<Event> {
    let written = input.fork();
    let event = event::positional(input)?;
    if role.is_write() {
        return Ok(event);
    }
    let tokens = value::up_to_comma(&written);
    let event = spell_event(&event);
    let message = if is_listening {
        format!("several events are a list in brackets; write `invalidate_on = [.., {event}]`")
    } else {
        format!("a cached function names its events in an option; write `invalidate_on = {event}`")
    };
    Err(syn::Error::new_spanned(tokens, message))
}

/// The message for a value without an option name, and the option that it is meant for.
fn positional(role: Role, input: ParseStream<'_>) -> (syn::Error, Option<&'static str>) {
    let here = input.fork();
    let has_ttl = known::has(role, "ttl");
    let (value, option) = match input.parse() {
        Ok(Lit::Str(text)) if has_ttl && duration::millis(&text.value()).is_ok() => (text.token(), "ttl"),
        Ok(Lit::Str(text)) => (text.token(), "key"),
        Ok(Lit::Int(number)) if has_ttl && !number.base10_digits().starts_with('-') => {
            let message = format!("every option needs a name, and a duration {}", duration::of_number(&number));
            return (syn::Error::new_spanned(number, message), None);
        }
        // The fork still has the tokens that `parse` consumed, so that the error covers them.
        _ => {
            let event = if role.is_write() { "an event or " } else { "" };
            return (here.error(format!("expected {event}an option: {}", list(known::names(role)))), None);
        }
    };
    let mut written = value.to_string();
    if option == "key" {
        written = with_placeholders(&written);
    }
    let message = format!("every option needs a name; write `{option} = {written}`");
    // In a function that reads, `key` has a default, so arguments that are missing in it are reported as well.
    (syn::Error::new_spanned(value, message), (role == Role::Put).then_some(option))
}

/// A key as it has to be written, from one that is written like a format string.
// Input:  "user:{id}"
// Output: "user:<id>"
fn with_placeholders(key: &str) -> String {
    let mut written = String::new();
    let mut rest = 0;
    for (name, at) in template::braced(key).filter(|(name, _)| syn::parse_str::<syn::Expr>(name).is_ok()) {
        written.extend([key.get(rest..at.start).unwrap_or_default(), "<", name, ">"]);
        rest = at.end;
    }
    written.push_str(key.get(rest..).unwrap_or_default());
    written
}

fn skip_to_comma(input: ParseStream<'_>) -> syn::Result<()> {
    while !input.is_empty() && !input.peek(Token![,]) {
        input.parse::<TokenTree>()?;
    }
    Ok(())
}
