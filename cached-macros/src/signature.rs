//! Reads the function under the attribute: what kind of item it is, where its `async` body is, and which names its
//! arguments bind. Reports nothing.

use proc_macro2::{Delimiter, Group, Span, TokenStream, TokenTree};
use quote::{ToTokens, quote};
use syn::ext::IdentExt;
use syn::parse::{Parse, ParseStream, Parser};
use syn::spanned::Spanned;
use syn::{
    AttrStyle, Attribute, Block, Expr, ExprAsync, FnArg, GenericArgument, GenericParam, Ident, Item, Local, Pat,
    PathArguments, PathSegment, ReturnType, Signature, Stmt, Token, Type, TypeParamBound, Visibility, token,
};

use crate::role::Role;
use crate::transaction::{self, Sign};

/// The item under the attribute.
pub(crate) enum AnnotatedItem {
    /// A function with a body.
    Function(Box<Function>),
    /// A function of a trait, without a body.
    Declaration(Box<Signature>),
    /// Anything else, with the token that says what it is (`struct`, `impl`, ..).
    Other(TokenTree),
}

/// A function whose body is still tokens.
///
/// The body is not parsed, because nothing here needs to understand it: rustc reports a half-typed statement itself,
/// and editors can complete inside of it.
pub(crate) struct Function {
    /// All attributes except ours.
    pub(crate) attrs: Vec<Attribute>,
    /// Inner attributes such as `#![allow(..)]` at the head of the body.
    pub(crate) inner: Vec<Attribute>,
    /// A second `#[redis_cached]`, a `#[redis_put]` below it, and so on.
    pub(crate) others: Vec<(Role, Attribute)>,
    pub(crate) vis: Visibility,
    pub(crate) sig: Signature,
    /// The body without its inner attributes.
    pub(crate) body: Group,
}

impl Parse for AnnotatedItem {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let whole = input.fork();
        let attrs = input.call(Attribute::parse_outer)?;
        let vis: Visibility = input.parse()?;
        let keyword = keyword(&input.fork())?;
        let sig: Signature = match input.parse() {
            Ok(sig) => sig,
            // `const LIMIT: u64 = 1;` and `unsafe impl` begin like functions, too. If it is not another item either,
            // the signature has a fault.
            Err(error) => {
                let other = whole.parse::<Item>().is_ok();
                whole.parse::<TokenStream>()?;
                input.parse::<TokenStream>()?;
                return if other { Ok(Self::Other(keyword)) } else { Err(error) };
            }
        };
        if input.peek(Token![;]) {
            input.parse::<Token![;]>()?;
            return Ok(Self::Declaration(Box::new(sig)));
        }
        if !input.peek(token::Brace) {
            return Err(input.error("expected the body of the function"));
        }
        let TokenTree::Group(body) = input.parse()? else {
            return Err(input.error("expected the body of the function"));
        };
        let body = visible(body);
        let split = |input: ParseStream<'_>| Ok((input.call(Attribute::parse_inner)?, input.parse::<TokenStream>()?));
        let (inner, stmts) = split.parse2(body.stream())?;
        let (ours, attrs): (Vec<_>, _) = attrs.into_iter().partition(|attr| Role::of(attr).is_some());
        let others = ours.into_iter().filter_map(|attr| Some((Role::of(&attr)?, attr))).collect();
        let body = regroup(&body, stmts);
        Ok(Self::Function(Box::new(Function { attrs, inner, others, vis, sig, body })))
    }
}

/// The group inside the invisible ones that `macro_rules!` puts around a `$body:block`.
fn visible(group: Group) -> Group {
    let mut inside = group.stream().into_iter();
    match (group.delimiter(), inside.next(), inside.next()) {
        (Delimiter::None, Some(TokenTree::Group(inner)), None) => visible(inner),
        _ => group,
    }
}

/// The word that says what an item is: `impl` in `unsafe impl A {}`.
fn keyword(input: ParseStream<'_>) -> syn::Result<TokenTree> {
    let token: TokenTree = input.parse()?;
    let is_qualifier = matches!(&token, TokenTree::Ident(word) if word == "unsafe" || word == "default");
    if is_qualifier { keyword(input) } else { Ok(token) }
}

impl ToTokens for Function {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        let Self { attrs, inner, others: _, vis, sig, body } = self;
        let stmts = body.stream();
        let body = regroup(body, quote!(#(#inner)* #stmts));
        tokens.extend(quote!(#(#attrs)* #vis #sig #body));
    }
}

impl Function {
    /// The attributes for the function with the generated body. Inner attributes become outer ones, which mean the
    /// same; inside the generated block they would be a syntax error.
    pub(crate) fn outer_attributes(&self) -> impl Iterator<Item = Attribute> + '_ {
        let lifted = self.inner.iter().map(|attr| Attribute { style: AttrStyle::Outer, ..attr.clone() });
        self.attrs.iter().cloned().chain(lifted)
    }

    /// How the function is asynchronous: an `async fn`, or the form that `#[async_trait]` leaves. `None` if it is not.
    pub(crate) fn form(&self) -> Option<AsyncForm> {
        if self.sig.asyncness.is_some() {
            let returns = match &self.sig.output {
                ReturnType::Default => None,
                ReturnType::Type(_, ty) => Some((**ty).clone()),
            };
            return Some(AsyncForm { returns, boxed: None });
        }
        let ReturnType::Type(_, ty) = &self.sig.output else { return None };
        let returns = boxed_output(ty)?;
        let boxed = BoxedBody::find(&self.sig, self.body.stream())?;
        Some(AsyncForm { returns: Some(returns.clone()), boxed: Some(boxed) })
    }
}

/// A block with other content, at the same place.
pub(crate) fn regroup(group: &Group, content: TokenStream) -> Group {
    let mut new = Group::new(Delimiter::Brace, content);
    new.set_span(group.span());
    new
}

/// How the function is asynchronous.
pub(crate) struct AsyncForm {
    /// The type of an awaited call; `None` if no type is written.
    pub(crate) returns: Option<Type>,
    /// The body, if it is not the function's own block.
    pub(crate) boxed: Option<BoxedBody>,
}

/// The body of a function that `#[async_trait]` has expanded.
// Input:
//     fn find(&'life0 self, id: u64, __arg2: (u64, u64)) -> Pin<Box<dyn Future<Output = Ret> + Send + 'async_trait>> {
//         Box::pin(async move {
//             if let Some(__ret) = None::<Ret> { return __ret; }
//             let __self = self;
//             let id = id;
//             let (a, b) = { let __arg2 = __arg2; __arg2 };
//             let __ret: Ret = { /* body */ };
//             __ret
//         })
//     }
// Output:
//     pin:   Box::pin
//     head:  let id = id; let (a, b) = { .. };
//     rest:  if let Some(__ret) = .. { .. } let __self = self; let __ret: Ret = { /* body */ }; __ret
pub(crate) struct BoxedBody {
    /// `Box::pin`, as written.
    pub(crate) pin: Expr,
    /// The async block, emptied.
    pub(crate) shell: ExprAsync,
    /// Statements that only give arguments their names. They come before the cached call, because the key needs these
    /// names.
    pub(crate) head: Vec<Local>,
    /// Everything else. `let __self = self` is here, because the key and `cache = self.cache` need `self` before it
    /// moves.
    pub(crate) rest: Vec<Stmt>,
}

impl BoxedBody {
    fn find(sig: &Signature, body: TokenStream) -> Option<Self> {
        let stmts = Block::parse_within.parse2(body).ok()?;
        let [Stmt::Expr(Expr::Call(call), None)] = stmts.as_slice() else { return None };
        let Expr::Path(function) = &*call.func else { return None };
        let mut names = function.path.segments.iter().rev().map(|segment| &segment.ident);
        if !(names.next()? == "pin" && names.next()? == "Box") {
            return None;
        }
        let Some(Expr::Async(block)) = call.args.first() else { return None };

        let mut shell = block.clone();
        let mut head = Vec::new();
        let mut rest = Vec::new();
        let mut at_head = true;
        for stmt in std::mem::take(&mut shell.block.stmts) {
            match stmt {
                Stmt::Local(local) if at_head && renamed_argument(sig, &local).is_some() => head.push(local),
                // The user's code begins here, and its order matters.
                other => {
                    at_head &= is_return_edge(&other) || is_renamed_self(&other);
                    rest.push(other);
                }
            }
        }
        Some(Self { pin: (*call.func).clone(), shell, head, rest })
    }
}

/// `if let Some(__ret) = None::<Ret> { return __ret; }`, which fixes the type of the block.
fn is_return_edge(stmt: &Stmt) -> bool {
    let Stmt::Expr(Expr::If(stmt), _) = stmt else { return false };
    let Expr::Let(cond) = &*stmt.cond else { return false };
    matches!(&*cond.expr, Expr::Path(none) if none.path.segments.last().is_some_and(|last| last.ident == "None"))
}

/// `let __self = self;`.
fn is_renamed_self(stmt: &Stmt) -> bool {
    let Stmt::Local(Local { init: Some(init), .. }) = stmt else { return false };
    matches!(&*init.expr, Expr::Path(value) if value.path.is_ident("self"))
}

/// The parameter that `let PAT = param;` or `let PAT = { let param = param; param };` binds to its pattern again.
fn renamed_argument<'a>(sig: &Signature, local: &'a Local) -> Option<&'a Ident> {
    let name = match init_of(local)? {
        Expr::Block(block) => match block.block.stmts.as_slice() {
            [Stmt::Local(inner), Stmt::Expr(value, None)] => {
                variable(value).filter(|name| init_of(inner).and_then(variable) == Some(*name))?
            }
            _ => return None,
        },
        value => variable(value)?,
    };
    let is_parameter = sig.inputs.iter().any(|input| match input {
        FnArg::Receiver(_) => false,
        FnArg::Typed(typed) => matches!(&*typed.pat, Pat::Ident(pat) if pat.ident == *name),
    });
    is_parameter.then_some(name)
}

fn init_of(local: &Local) -> Option<&Expr> {
    local.init.as_ref().filter(|init| init.diverge.is_none()).map(|init| &*init.expr)
}

/// The expression, if it is just a name.
fn variable(expr: &Expr) -> Option<&Ident> {
    let Expr::Path(path) = expr else { return None };
    path.path.get_ident()
}

/// `T` of `Pin<Box<dyn Future<Output = T> + ..>>`.
fn boxed_output(ty: &Type) -> Option<&Type> {
    let boxed = first_type_argument(last_segment(ty, "Pin")?)?;
    let Type::TraitObject(object) = bare(first_type_argument(last_segment(boxed, "Box")?)?) else { return None };
    object.bounds.iter().find_map(|bound| {
        let TypeParamBound::Trait(bound) = bound else { return None };
        let future = bound.path.segments.last().filter(|last| last.ident == "Future")?;
        let PathArguments::AngleBracketed(arguments) = &future.arguments else { return None };
        arguments.args.iter().find_map(|argument| match argument {
            GenericArgument::AssocType(output) if output.ident == "Output" => Some(&output.ty),
            _ => None,
        })
    })
}

/// The last segment of a path, if it has this name.
pub(crate) fn last_segment<'a>(ty: &'a Type, name: &str) -> Option<&'a PathSegment> {
    let Type::Path(ty) = bare(ty) else { return None };
    ty.path.segments.last().filter(|last| last.ident == name)
}

/// The type inside parentheses and the invisible groups that `macro_rules!` puts around a `$ty:ty`.
pub(crate) fn bare(ty: &Type) -> &Type {
    match ty {
        Type::Group(group) => bare(&group.elem),
        Type::Paren(paren) => bare(&paren.elem),
        _ => ty,
    }
}

/// `T` of `Result<T, E>`.
pub(crate) fn first_type_argument(segment: &PathSegment) -> Option<&Type> {
    let PathArguments::AngleBracketed(arguments) = &segment.arguments else { return None };
    arguments.args.iter().find_map(|argument| match argument {
        GenericArgument::Type(ty) => Some(ty),
        _ => None,
    })
}

/// A name that the arguments bind.
#[derive(Clone)]
pub(crate) struct Argument {
    pub(crate) name: Ident,
    /// `mut name`
    pub(crate) is_mut: bool,
    /// `name: &mut T`
    pub(crate) is_mut_reference: bool,
    /// A sign that it may be a transaction.
    pub(crate) sign: Option<Sign>,
    /// The span of its type.
    pub(crate) ty: Span,
    /// The type, unless a pattern takes the argument apart.
    pub(crate) whole: Option<Type>,
    /// `#[cfg]` on the parameter, which is evaluated after this macro.
    pub(crate) cfg: Option<Attribute>,
    /// One id of a batch or one item of a list, which may be a reference.
    pub(crate) is_item: bool,
}

impl Argument {
    /// One id of a batch, or one item of a list: templates name them like arguments.
    pub(crate) fn element(name: Ident, whole: Option<Type>) -> Self {
        let ty = name.span();
        Self { name, is_mut: false, is_mut_reference: false, sign: None, ty, whole, cfg: None, is_item: true }
    }

    /// The type of one item, if this is a list: `&[T]`, `Vec<T>`.
    pub(crate) fn item(&self) -> Option<&Type> {
        fn item(ty: &Type) -> Option<&Type> {
            match bare(ty) {
                Type::Reference(reference) => item(&reference.elem),
                Type::Slice(slice) => Some(&slice.elem),
                Type::Array(array) => Some(&array.elem),
                ty => first_type_argument(last_segment(ty, "Vec")?),
            }
        }
        item(self.whole.as_ref()?)
    }
}

/// Everything a key may name.
#[derive(Clone)]
pub(crate) struct Names {
    /// The `self` token, if there is a receiver.
    pub(crate) receiver: Option<Ident>,
    pub(crate) arguments: Vec<Argument>,
    pub(crate) types: Vec<Ident>,
    pub(crate) consts: Vec<Ident>,
}

impl Names {
    pub(crate) fn of(sig: &Signature, boxed: Option<&BoxedBody>) -> Self {
        let mut names = Self { receiver: None, arguments: Vec::new(), types: Vec::new(), consts: Vec::new() };
        for (at, input) in sig.inputs.iter().enumerate() {
            match input {
                FnArg::Receiver(receiver) => names.receiver = Some(Ident::new("self", receiver.self_token.span)),
                FnArg::Typed(typed) => {
                    let pat = boxed.and_then(|boxed| pattern_of(sig, boxed, &typed.pat)).unwrap_or(&typed.pat);
                    let cfg = typed.attrs.iter().find(|attr| is_cfg(attr));
                    let mut bound = Vec::new();
                    // `#[async_trait]` turns `_` into `let __arg1 = __arg1;`, but it still binds nothing.
                    if !is_wildcard(at, &typed.pat, pat) {
                        bindings(pat, &mut bound);
                    }
                    // A pattern that takes the argument apart binds its parts.
                    let is_whole = matches!(pat, Pat::Ident(_));
                    let is_mut_reference = is_whole && is_mut_reference(&typed.ty);
                    names.arguments.extend(bound.into_iter().map(|(name, is_mut)| Argument {
                        name,
                        is_mut,
                        is_mut_reference,
                        sign: transaction::sign(&typed.ty),
                        ty: bare(&typed.ty).span(),
                        whole: is_whole.then(|| (*typed.ty).clone()),
                        cfg: cfg.cloned(),
                        is_item: false,
                    }));
                }
            }
        }
        for param in &sig.generics.params {
            match param {
                GenericParam::Type(param) => names.types.push(param.ident.clone()),
                GenericParam::Const(param) => names.consts.push(param.ident.clone()),
                GenericParam::Lifetime(_) => {}
            }
        }
        names
    }

    /// The names of all arguments, as placeholders write them (`type` for `r#type`).
    pub(crate) fn argument_names(&self) -> impl Iterator<Item = String> + '_ {
        self.arguments.iter().map(|argument| argument.name.unraw().to_string())
    }

    pub(crate) fn argument(&self, name: &str) -> Option<&Argument> {
        self.arguments.iter().find(|argument| argument.name.unraw() == name)
    }

    /// Type and const parameters.
    pub(crate) fn parameters(&self) -> impl Iterator<Item = &Ident> {
        self.types.iter().chain(&self.consts)
    }
}

/// A parameter that is not the receiver.
pub(crate) struct Parameter<'a> {
    /// The pattern in the user's code, before `#[async_trait]`.
    pub(crate) pat: &'a Pat,
    pub(crate) ty: &'a Type,
    /// The names that it binds.
    pub(crate) names: Vec<Ident>,
    pub(crate) cfg: Vec<Attribute>,
}

/// The parameters, without the receiver.
pub(crate) fn parameters<'a>(sig: &'a Signature, boxed: Option<&'a BoxedBody>) -> impl Iterator<Item = Parameter<'a>> {
    sig.inputs.iter().enumerate().filter_map(move |(at, input)| {
        let FnArg::Typed(typed) = input else { return None };
        let pat = boxed.and_then(|boxed| pattern_of(sig, boxed, &typed.pat)).unwrap_or(&typed.pat);
        let mut names = Vec::new();
        if !is_wildcard(at, &typed.pat, pat) {
            bindings(pat, &mut names);
        }
        let cfg = typed.attrs.iter().filter(|attr| is_cfg(attr)).cloned().collect();
        let names = names.into_iter().map(|(name, _)| name).collect();
        Some(Parameter { pat, ty: &typed.ty, names, cfg })
    })
}

fn is_mut_reference(ty: &Type) -> bool {
    matches!(bare(ty), Type::Reference(reference) if reference.mutability.is_some())
}

fn is_cfg(attr: &Attribute) -> bool {
    attr.path().is_ident("cfg") || attr.path().is_ident("cfg_attr")
}

/// The pattern that the head of the boxed block binds this parameter to.
fn pattern_of<'a>(sig: &Signature, boxed: &'a BoxedBody, parameter: &Pat) -> Option<&'a Pat> {
    let Pat::Ident(parameter) = parameter else { return None };
    boxed.head.iter().find(|local| renamed_argument(sig, local) == Some(&parameter.ident)).map(|local| &local.pat)
}

/// Whether the parameter at this index is a `_`, which `#[async_trait]` names by its index.
fn is_wildcard(at: usize, parameter: &Pat, rebound: &Pat) -> bool {
    match (parameter, rebound) {
        (Pat::Ident(parameter), Pat::Ident(pat)) if !std::ptr::eq(parameter, pat) => {
            parameter.ident == pat.ident && pat.ident == format!("__arg{at}")
        }
        _ => false,
    }
}

/// The names that a pattern binds, in order, and whether they are `mut`. Patterns that a parameter cannot have bind
/// nothing here; rustc reports them.
// Input:  Path((id, _)): Path<(u64, u64)>, Filter { lang, .. }: Filter
// Output: id, lang
fn bindings(pat: &Pat, out: &mut Vec<(Ident, bool)>) {
    match pat {
        Pat::Ident(pat) => {
            out.push((pat.ident.clone(), pat.mutability.is_some()));
            if let Some((_, inner)) = &pat.subpat {
                bindings(inner, out);
            }
        }
        Pat::Paren(pat) => bindings(&pat.pat, out),
        Pat::Reference(pat) => bindings(&pat.pat, out),
        Pat::Type(pat) => bindings(&pat.pat, out),
        Pat::Slice(pat) => pat.elems.iter().for_each(|pat| bindings(pat, out)),
        Pat::Struct(pat) => pat.fields.iter().for_each(|field| bindings(&field.pat, out)),
        Pat::Tuple(pat) => pat.elems.iter().for_each(|pat| bindings(pat, out)),
        Pat::TupleStruct(pat) => pat.elems.iter().for_each(|pat| bindings(pat, out)),
        // Every alternative binds the same names.
        Pat::Or(pat) => pat.cases.iter().take(1).for_each(|pat| bindings(pat, out)),
        _ => {}
    }
}
