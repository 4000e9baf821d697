//! Options and function -> [`Model`]. The only phase that reports broken rules; one file for each thing they are about.

mod closure;
mod function;
mod key;
mod options;

use crate::ast::Options;
use crate::diagnostics::Errors;
use crate::model::Model;
use crate::signature::{Function, Names};

pub(crate) use function::not_a_function;

/// Judges everything, so that all faults show at once; gives the function back if there are any.
pub(crate) fn model(options: Options, function: Box<Function>, errors: &mut Errors) -> Result<Model, Box<Function>> {
    let form = function::form(&function, errors);
    let names = Names::of(&function.sig, form.as_ref().and_then(|form| form.boxed.as_ref()));
    let key = key::pieces(&options.key, &options.skip, &names, errors);
    let support = options::support(options.crate_path);
    let ttl = options::ttl(options.ttl, &names, errors);
    let jitter = options::jitter(&options.jitter, errors);
    let none_ttl = options::none_ttl(&options.none_ttl, errors);
    let cache_if = options::cache_if(options.cache_if, &names, errors);
    let version = options::version(&options.version, errors);
    let codec = options::codec(&options.codec, errors);
    let cache = options::cache(options.cache, errors);

    match form.and_then(|form| Some((form.returns?, form.boxed))) {
        Some((returns, boxed)) if errors.is_empty() => {
            let function = *function;
            Ok(Model { support, function, boxed, returns, key, ttl, jitter, none_ttl, version, codec, cache_if, cache })
        }
        _ => Err(function),
    }
}
