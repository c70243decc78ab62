//! The parameters of a task: where the value of each comes from.

use proc_macro2::TokenStream;
use quote::{ToTokens, format_ident, quote, quote_spanned};
use syn::{FnArg, Ident, Pat, PatType, Signature, Type, spanned::Spanned};

use crate::{attributes::take_mark, errors::Errors, owned};

/// The largest tuple serde implements its traits for.
const MAX_INPUTS: usize = 16;

/// The parameters by role.
#[derive(Default)]
pub(crate) struct Params {
    /// The role of each, in order.
    pub(crate) roles: Vec<Role>,
    /// The names of those with the role `Input`, as a caller sees them.
    pub(crate) names: Vec<Ident>,
    /// The types of the same.
    pub(crate) inputs: Vec<TokenStream>,
    /// The type the shared value is sent as.
    pub(crate) shared: Option<TokenStream>,
    /// The type of the context.
    pub(crate) context: Option<TokenStream>,
}

/// Where the value of a parameter comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    /// From whoever wants the task done.
    Input,
    /// From a variable where the task is called.
    Local {
        name: &'static str,
        by_reference: bool,
    },
}

/// A type whose value a method is given where it is called, and the variable that has it there.
pub(crate) struct Lead {
    pub(crate) ty: &'static str,
    pub(crate) local: &'static str,
}

impl Params {
    /// Reads the roles of a function's parameters and removes the attributes that say them.
    pub(crate) fn of_function<'a>(
        params: impl Iterator<Item = &'a mut PatType>,
    ) -> syn::Result<Self> {
        let mut all = Self::default();
        let mut errors = Errors::default();
        for param in params {
            errors.take(all.add_by_mark(param));
        }
        all.finish(errors)
    }

    /// Reads the parameters of a method whose first ones may be these, in this order.
    pub(crate) fn of_method(sig: &Signature, leads: &[Lead]) -> syn::Result<Self> {
        let mut all = Self::default();
        let mut errors = Errors::default();
        let mut left = leads;
        for arg in &sig.inputs {
            let FnArg::Typed(param) = arg else { continue };
            let mut found = left.iter().enumerate();
            if let Some((at, role)) = found.find_map(|(at, lead)| Some((at, lead.role(param)?))) {
                all.roles.push(role);
                left = &left[at + 1..];
            } else {
                left = &[];
                errors.take(all.add_argument(param, leads));
            }
        }
        all.finish(errors)
    }

    /// Whether a call needs the variable.
    pub(crate) fn takes(&self, local: &str) -> bool {
        let takes = |role: &Role| matches!(role, Role::Local { name, .. } if *name == local);
        self.roles.iter().any(takes)
    }

    fn finish(self, mut errors: Errors) -> syn::Result<Self> {
        errors.refuse(
            self.inputs.get(MAX_INPUTS),
            "a task has at most 16 parameters by value: make them one struct",
        );
        errors.finish()?;
        Ok(self)
    }

    fn add_by_mark(&mut self, param: &mut PatType) -> syn::Result<()> {
        let mark = take_mark(
            &mut param.attrs,
            |attr| attr.path().is_ident("shared") || attr.path().is_ident("context"),
            "a parameter is `#[shared]` or `#[context]`, once",
        )?;
        refuse_cfg(param)?;
        let Some(mark) = mark else {
            return self.add_input(param, |name| {
                format!(
                    "a task runs in another process and can't borrow {name} from its caller: mark it \
                     `#[shared]` (one value for all items), mark it `#[context]` (made in the worker), \
                     or take it by value"
                )
            });
        };
        let (name, place, ty): (_, _, fn(&Type) -> TokenStream) =
            match mark.path().is_ident("shared") {
                true => ("shared", &mut self.shared, owned_form),
                false => ("context", &mut self.context, Type::to_token_stream),
            };
        let target = borrowed(name, param)?;
        if place.replace(ty(target)).is_some() {
            return Err(syn::Error::new_spanned(
                param,
                format!("a task has at most one #[{name}] parameter: make them one struct"),
            ));
        }
        self.roles.push(Role::Local {
            name,
            by_reference: true,
        });
        Ok(())
    }

    fn add_argument(&mut self, param: &PatType, leads: &[Lead]) -> syn::Result<()> {
        refuse_cfg(param)?;
        if let Some(lead) = leads.iter().find(|lead| lead.role(param).is_some()) {
            return Err(syn::Error::new_spanned(&param.ty, lead.misplaced(leads)));
        }
        self.add_input(param, |name| {
            format!(
                "a bee gets {name} from whoever delegates, often from another process, and can't borrow \
                 it: take it by value (`String` for `&str`, `Vec<T>` for `&[T]`)"
            )
        })
    }

    /// Adds a value that is sent; `borrows` says that it can't be a reference.
    fn add_input(
        &mut self,
        param: &PatType,
        borrows: impl FnOnce(&str) -> String,
    ) -> syn::Result<()> {
        let name = match &*param.pat {
            Pat::Ident(pat) if pat.subpat.is_none() => Some(&pat.ident),
            _ => None,
        };
        if matches!(owned::peel(&param.ty), Type::Reference(_)) {
            let shown = name.map_or("this".to_owned(), |name| format!("`{name}`"));
            return Err(syn::Error::new_spanned(&param.ty, borrows(&shown)));
        }
        owned::check(&param.ty)?;
        let nameless = || format_ident!("arg_{}", self.names.len());
        self.names.push(name.cloned().unwrap_or_else(nameless));
        self.inputs.push(param.ty.to_token_stream());
        self.roles.push(Role::Input);
        Ok(())
    }
}

impl Lead {
    /// The role of a parameter that is this one.
    fn role(&self, param: &PatType) -> Option<Role> {
        let (ty, by_reference) = match owned::peel(&param.ty) {
            Type::Reference(reference) if reference.mutability.is_none() => {
                (owned::peel(&reference.elem), true)
            }
            ty => (ty, false),
        };
        let Type::Path(path) = ty else { return None };
        let role = Role::Local {
            name: self.local,
            by_reference,
        };
        (path.path.segments.last()?.ident == self.ty).then_some(role)
    }

    fn misplaced(&self, leads: &[Self]) -> String {
        let place = match leads {
            [_] => "make it the first parameter".to_owned(),
            several => {
                let types: Vec<&str> = several.iter().map(|lead| lead.ty).collect();
                format!("first come `{}`, in this order", types.join("` and `"))
            }
        };
        let ty = self.ty;
        format!("the `{ty}` is not one of the values that cross: {place}")
    }
}

fn refuse_cfg(param: &PatType) -> syn::Result<()> {
    match param.attrs.iter().find(|attr| attr.path().is_ident("cfg")) {
        None => Ok(()),
        Some(cfg) => Err(syn::Error::new_spanned(
            cfg,
            "a task can't have a parameter now and then: put the `#[cfg]` on the function",
        )),
    }
}

/// What a parameter with this mark borrows: it must be a reference.
fn borrowed<'a>(mark: &str, param: &'a PatType) -> syn::Result<&'a Type> {
    let Type::Reference(reference) = owned::peel(&param.ty) else {
        return Err(syn::Error::new_spanned(
            &param.ty,
            format!("many calls use the #[{mark}] value: take it by reference, `&…`"),
        ));
    };
    if let Some(mutability) = reference.mutability {
        return Err(syn::Error::new_spanned(
            mutability,
            format!("many calls use the #[{mark}] value at once: take it by `&`, without `mut`"),
        ));
    }
    if let Some(lifetime) = &reference.lifetime {
        return Err(syn::Error::new_spanned(
            lifetime,
            format!("the #[{mark}] value is borrowed for the call: leave the lifetime out"),
        ));
    }
    if !matches!(owned::peel(&reference.elem), Type::Slice(_)) {
        owned::check(&reference.elem)?;
    }
    Ok(&reference.elem)
}

/// The type that is sent for a parameter `&T`.
fn owned_form(ty: &Type) -> TokenStream {
    match owned::peel(ty) {
        Type::Path(path) if path.qself.is_none() && path.path.is_ident("str") => {
            quote_spanned!(ty.span()=> ::std::string::String)
        }
        Type::Slice(slice) => {
            let item = &slice.elem;
            quote!(::std::vec::Vec<#item>)
        }
        other => other.to_token_stream(),
    }
}
