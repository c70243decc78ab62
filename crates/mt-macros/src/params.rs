//! A task's parameters: which is the context, which the shared value, which make the item.

use proc_macro2::TokenStream;
use quote::{ToTokens, quote, quote_spanned};
use syn::{Attribute, Pat, PatType, Type, TypeReference, spanned::Spanned};

use crate::{errors::Errors, owned};

/// The largest tuple serde implements its traits for.
const MAX_INPUTS: usize = 16;

/// The parameters by role.
#[derive(Default)]
pub(crate) struct Params {
    /// The role of each, in order.
    pub(crate) roles: Vec<Role>,
    /// The types of those with the role `Input`.
    pub(crate) inputs: Vec<Type>,
    /// The type the shared value is sent as.
    pub(crate) shared: Option<TokenStream>,
    /// The type of the context.
    pub(crate) context: Option<TokenStream>,
}

/// Where the value of a parameter comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    Input,
    Shared,
    Context,
}

impl Role {
    fn attribute(self) -> &'static str {
        match self {
            Role::Input => "",
            Role::Shared => "#[shared]",
            Role::Context => "#[context]",
        }
    }
}

impl Params {
    /// Reads the roles of `params` and removes the attributes that say them.
    pub(crate) fn take<'a>(params: impl Iterator<Item = &'a mut PatType>) -> syn::Result<Self> {
        let mut all = Self::default();
        let mut errors = Errors::default();
        for param in params {
            let added = take_role(&mut param.attrs).and_then(|role| all.add(role, param));
            errors.take(added);
        }
        if let Some(extra) = all.inputs.get(MAX_INPUTS) {
            errors.push(
                extra,
                "a task has at most 16 parameters by value: make them one struct",
            );
        }
        errors.finish()?;
        Ok(all)
    }

    fn add(&mut self, role: Role, param: &PatType) -> syn::Result<()> {
        if let Some(cfg) = param.attrs.iter().find(|attr| attr.path().is_ident("cfg")) {
            return Err(syn::Error::new_spanned(
                cfg,
                "a task can't have a parameter now and then: put the `#[cfg]` on the function",
            ));
        }
        self.roles.push(role);
        match role {
            Role::Input => self.add_input(param),
            Role::Shared => {
                let target = borrowed(role, param)?;
                set(&mut self.shared, role, param, owned_form(&target.elem))
            }
            Role::Context => {
                let target = borrowed(role, param)?;
                set(
                    &mut self.context,
                    role,
                    param,
                    target.elem.to_token_stream(),
                )
            }
        }
    }

    fn add_input(&mut self, param: &PatType) -> syn::Result<()> {
        if matches!(owned::peel(&param.ty), Type::Reference(_)) {
            let name = name_of(&param.pat);
            return Err(syn::Error::new_spanned(
                &param.ty,
                format!(
                    "a task runs in another process and can't borrow {name} from its caller: mark it \
                     `#[shared]` (one value for all items), mark it `#[context]` (made in the worker), \
                     or take it by value"
                ),
            ));
        }
        owned::check(&param.ty)?;
        self.inputs.push(param.ty.as_ref().clone());
        Ok(())
    }
}

/// Finds `#[shared]` or `#[context]` and removes it.
fn take_role(attrs: &mut Vec<Attribute>) -> syn::Result<Role> {
    let mut role = Role::Input;
    let mut result = Ok(());
    attrs.retain(|attr| {
        let found = if attr.path().is_ident("shared") {
            Role::Shared
        } else if attr.path().is_ident("context") {
            Role::Context
        } else {
            return true;
        };
        if let Err(error) = attr.meta.require_path_only() {
            result = Err(error);
        } else if role != Role::Input {
            result = Err(syn::Error::new_spanned(
                attr,
                "a parameter is `#[shared]` or `#[context]`, once",
            ));
        }
        role = found;
        false
    });
    result.map(|()| role)
}

/// The reference a marked parameter must be.
fn borrowed(role: Role, param: &PatType) -> syn::Result<&TypeReference> {
    let attribute = role.attribute();
    let Type::Reference(reference) = owned::peel(&param.ty) else {
        let ty = param.ty.to_token_stream();
        return Err(syn::Error::new_spanned(
            ty,
            format!("many calls use the {attribute} value: take it by reference, `&…`"),
        ));
    };
    if let Some(mutability) = reference.mutability {
        return Err(syn::Error::new_spanned(
            mutability,
            format!("many calls use the {attribute} value at once: take it by `&`, without `mut`"),
        ));
    }
    if let Some(lifetime) = &reference.lifetime {
        return Err(syn::Error::new_spanned(
            lifetime,
            format!("the {attribute} value is borrowed for the call: leave the lifetime out"),
        ));
    }
    if !is_unsized(&reference.elem) {
        owned::check(&reference.elem)?;
    }
    Ok(reference)
}

fn is_unsized(ty: &Type) -> bool {
    matches!(owned::peel(ty), Type::Slice(_))
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

fn set(
    place: &mut Option<TokenStream>,
    role: Role,
    param: &PatType,
    ty: TokenStream,
) -> syn::Result<()> {
    if place.is_some() {
        let attribute = role.attribute();
        return Err(syn::Error::new_spanned(
            param,
            format!("a task has at most one {attribute} parameter: make them one struct"),
        ));
    }
    *place = Some(ty);
    Ok(())
}

fn name_of(pat: &Pat) -> String {
    match pat {
        Pat::Ident(pat) => format!("`{}`", pat.ident),
        _ => "this".to_owned(),
    }
}
