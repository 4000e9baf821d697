//! A type as people write it, from its tokens.

use proc_macro2::{Delimiter, Spacing, TokenStream, TokenTree};

/// Renders tokens without the blanks that `TokenStream::to_string` puts between them.
///
/// Written out here because that method promises no format: it differs between compilers, and inside and outside of them.
// Input:  Result < Option < & 'static str > , Vec < [u8 ; 4] > >
// Output: "Result<Option<&'static str>, Vec<[u8; 4]>>"
pub(crate) fn spell(tokens: TokenStream) -> String {
    let mut text = String::new();
    write(tokens, &mut text);
    text
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
                // `dyn (Trait)`, `'a [u8]`: an opening bracket after a word belongs to what follows, except for `Fn(A)`.
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
    // A trailing comma, as in `(A,)`, keeps no blank.
    out.truncate(out.trim_end().len());
}

fn ends_with_word(text: &str) -> bool {
    text.ends_with(|letter: char| letter == '_' || letter == ')' || letter.is_alphanumeric())
}
