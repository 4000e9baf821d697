//! Types and events as people write them, from their tokens.

use proc_macro2::{Delimiter, Spacing, TokenStream, TokenTree};
use quote::ToTokens;
use syn::FieldValue;

use crate::ast::Event;

/// Renders tokens without the blanks that `TokenStream::to_string` puts between them.
///
/// That method promises no format: it differs between compilers, and between macros and unit tests.
// Input:  Result < Option < & 'static str > , Vec < [u8 ; 4] > >
// Output: "Result<Option<&'static str>, Vec<[u8; 4]>>"
pub(crate) fn spell(tokens: TokenStream) -> String {
    let mut text = String::new();
    write(tokens, &mut text);
    text
}

/// An event as it is written in an attribute.
// Input:  UserUpdated { id : user . id , .. }
// Output: "UserUpdated { id: user.id, .. }"
pub(crate) fn spell_event(event: &Event) -> String {
    let event = match event {
        Event::Unit(path) => return spell(path.to_token_stream()),
        Event::Fields(event) => event,
    };
    let field = |field: &FieldValue| match field.colon_token {
        Some(_) => format!("{}: {}", spell(field.member.to_token_stream()), spell(field.expr.to_token_stream())),
        None => spell(field.member.to_token_stream()),
    };
    let mut fields: Vec<String> = event.fields.iter().map(field).collect();
    if event.dot2_token.is_some() {
        fields.push(format!("..{}", event.rest.as_ref().map(|rest| spell(rest.to_token_stream())).unwrap_or_default()));
    }
    let path = spell(event.path.to_token_stream());
    if fields.is_empty() { format!("{path} {{}}") } else { format!("{path} {{ {} }}", fields.join(", ")) }
}

fn write(tokens: TokenStream, out: &mut String) {
    let mut joint = false;
    for token in tokens {
        match token {
            TokenTree::Group(group) => {
                let (open, close) = match group.delimiter() {
                    Delimiter::Parenthesis => ("(", ")"),
                    Delimiter::Bracket => ("[", "]"),
                    Delimiter::Brace => ("{", "}"),
                    Delimiter::None => ("", ""),
                };
                // A blank separates a bracket from the word before it, as in `'a [u8]`.
                if open == "[" && ends_with_word(out) {
                    out.push(' ');
                }
                out.push_str(open);
                write(group.stream(), out);
                out.push_str(close);
                joint = false;
            }
            TokenTree::Punct(punct) => {
                let letter = punct.as_char();
                match letter {
                    ',' | ';' => out.extend([letter, ' ']),
                    '+' | '=' => out.extend([' ', letter, ' ']),
                    '-' => out.push_str(" -"),
                    '>' if joint && out.ends_with('-') => out.push_str("> "),
                    '\'' => {
                        if ends_with_word(out) {
                            out.push(' ');
                        }
                        out.push(letter);
                    }
                    _ => out.push(letter),
                }
                joint = punct.spacing() == Spacing::Joint;
            }
            word @ (TokenTree::Ident(_) | TokenTree::Literal(_)) => {
                if ends_with_word(out) || out.ends_with('>') {
                    out.push(' ');
                }
                out.push_str(&word.to_string());
                joint = false;
            }
        }
    }
    // No blank follows a trailing comma, as in `(A,)`.
    out.truncate(out.trim_end().len());
}

fn ends_with_word(text: &str) -> bool {
    text.ends_with(|letter: char| letter == '_' || letter == ')' || letter.is_alphanumeric())
}
