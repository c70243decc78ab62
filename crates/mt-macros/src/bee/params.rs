//! What a method of a bee takes: perhaps something about the call and the hive first, then values that cross.

use quote::format_ident;
use syn::{FnArg, Ident, Pat, PatType, Signature, Type};

use crate::{errors::Errors, owned};

/// The largest tuple serde implements its traits for.
const MAX_INPUTS: usize = 16;

/// How an argument is passed that does not cross, if it is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Lead {
    None,
    Value,
    Reference,
}

/// The parameters after `self`.
pub(super) struct Params {
    /// Of each type of arguments that do not cross.
    pub(super) leads: Vec<Lead>,
    /// The names of the values that cross, as a caller sees them.
    pub(super) idents: Vec<Ident>,
    /// The values' types.
    pub(super) types: Vec<Type>,
}

impl Params {
    /// Reads the parameters of a method whose first ones may be of these types, in this order.
    pub(super) fn parse(sig: &Signature, leads: &[&str]) -> syn::Result<Self> {
        let mut errors = Errors::default();
        let mut typed = sig.inputs.iter().filter_map(typed).peekable();
        let mut found = Vec::new();
        for lead in leads {
            let first = typed.peek().map_or(Lead::None, |param| kind(param, lead));
            if first != Lead::None {
                typed.next();
            }
            found.push(first);
        }
        let mut all = Self {
            leads: found,
            idents: Vec::new(),
            types: Vec::new(),
        };
        for param in typed {
            if errors.take(check(param, leads)).is_some() {
                all.idents.push(name_of(&param.pat, all.idents.len()));
                all.types.push(param.ty.as_ref().clone());
            }
        }
        if let Some(extra) = all.types.get(MAX_INPUTS) {
            errors.push(
                extra,
                "a bee is given at most 16 values: make them one struct",
            );
        }
        errors.finish()?;
        Ok(all)
    }
}

fn typed(arg: &FnArg) -> Option<&PatType> {
    match arg {
        FnArg::Typed(param) => Some(param),
        FnArg::Receiver(_) => None,
    }
}

fn kind(param: &PatType, lead: &str) -> Lead {
    match owned::peel(&param.ty) {
        Type::Reference(reference) if reference.mutability.is_none() => {
            match is_named(&reference.elem, lead) {
                true => Lead::Reference,
                false => Lead::None,
            }
        }
        ty if is_named(ty, lead) => Lead::Value,
        _ => Lead::None,
    }
}

fn is_named(ty: &Type, name: &str) -> bool {
    let Type::Path(path) = owned::peel(ty) else {
        return false;
    };
    let last = path.path.segments.last();
    last.is_some_and(|segment| segment.ident == name)
}

fn check(param: &PatType, leads: &[&str]) -> syn::Result<()> {
    if let Some(cfg) = param.attrs.iter().find(|attr| attr.path().is_ident("cfg")) {
        return Err(syn::Error::new_spanned(
            cfg,
            "a bee can't have a parameter now and then: put the `#[cfg]` on the method",
        ));
    }
    if let Some(lead) = leads.iter().find(|lead| kind(param, lead) != Lead::None) {
        return Err(syn::Error::new_spanned(&param.ty, misplaced(lead, leads)));
    }
    if matches!(owned::peel(&param.ty), Type::Reference(_)) {
        let name = match plain_name(&param.pat) {
            Some(name) => format!("`{name}`"),
            None => "this".to_owned(),
        };
        return Err(syn::Error::new_spanned(
            &param.ty,
            format!(
                "a bee gets {name} from whoever delegates, often from another process, and can't borrow \
                 it: take it by value (`String` for `&str`, `Vec<T>` for `&[T]`)"
            ),
        ));
    }
    owned::check(&param.ty)
}

fn misplaced(lead: &str, leads: &[&str]) -> String {
    let place = match leads {
        [_] => "make it the first parameter".to_owned(),
        several => format!("first come `{}`, in this order", several.join("` and `")),
    };
    format!("the `{lead}` is not one of the values that cross: {place}")
}

fn plain_name(pat: &Pat) -> Option<&Ident> {
    match pat {
        Pat::Ident(pat) if pat.subpat.is_none() => Some(&pat.ident),
        _ => None,
    }
}

fn name_of(pat: &Pat, index: usize) -> Ident {
    let name = plain_name(pat).cloned();
    name.unwrap_or_else(|| format_ident!("arg_{index}"))
}
