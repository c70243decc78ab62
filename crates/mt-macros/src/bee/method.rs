//! The signatures of a bee's methods: its tasks and `new`. What can't be delegated is refused here.

use proc_macro2::{Group, TokenStream, TokenTree};
use quote::ToTokens;
use syn::{Ident, ReceiverKind, ReturnType, Signature, Type};

use super::caste::Caste;
use crate::{errors::Errors, params::Lead, signature::TaskSignature};

/// Reads the signature of a task.
pub(super) fn task(caste: Caste, sig: &Signature) -> syn::Result<TaskSignature> {
    let mut errors = Errors::default();
    refuse_receiver(sig, &mut errors);
    refuse_name(caste, &sig.ident, &mut errors);
    TaskSignature::of_method(sig, caste.leads(), errors)
}

/// Reads the signature of `new`.
pub(super) fn new(sig: &Signature) -> syn::Result<TaskSignature> {
    let mut errors = Errors::default();
    if let ReturnType::Default = sig.output {
        errors.push(
            &sig.ident,
            "`new` makes the bee: let it return `Self` or `Result<Self, E>`",
        );
    }
    let lead = Lead {
        ty: "BeeCx",
        local: "cx",
    };
    TaskSignature::of_method(sig, &[lead], errors)
}

/// The signature with the type's name for `Self`, for use outside its `impl`.
pub(super) fn without_self(sig: &Signature, ty: &Type) -> Signature {
    let renamed = rename_self(sig.to_token_stream(), ty);
    syn::parse2(renamed).expect("a type stands where a type stood")
}

fn rename_self(tokens: TokenStream, ty: &Type) -> TokenStream {
    let each = tokens.into_iter().map(|token| match token {
        TokenTree::Ident(name) if name == "Self" => {
            let mut parts: Vec<TokenTree> = ty.to_token_stream().into_iter().collect();
            parts.iter_mut().for_each(|part| part.set_span(name.span()));
            parts.into_iter().collect()
        }
        TokenTree::Group(group) => {
            let mut inner = Group::new(group.delimiter(), rename_self(group.stream(), ty));
            inner.set_span(group.span());
            TokenTree::Group(inner).into_token_stream()
        }
        other => other.into_token_stream(),
    });
    each.collect()
}

fn refuse_receiver(sig: &Signature, errors: &mut Errors) {
    let Some(receiver) = sig.receiver() else {
        return errors.push(
            &sig.ident,
            "a task is a method of its bee: take `&self` first, then what is delegated",
        );
    };
    match &receiver.kind {
        ReceiverKind::Reference(_, None, None) => {}
        ReceiverKind::Reference(_, _, Some(_)) => errors.push(
            receiver,
            "a bee does many tasks at once: take `&self`, and keep what changes in a `Cell`, a `RefCell` \
             or an async lock",
        ),
        _ => errors.push(receiver, "a task borrows its bee: take `&self`"),
    }
}

fn refuse_name(caste: Caste, name: &Ident, errors: &mut Errors) {
    if caste == Caste::Worker && name == "busy_status" {
        errors.push(
            name,
            "every worker bee has a task `busy_status`, answered while it works: name this one otherwise",
        );
    }
    let (asked, methods) = caste.asked();
    let hides = |asked| {
        format!(
            "`{asked}::{name}` would hide this task from whoever asks for it: name it otherwise"
        )
    };
    if name == "shutdown" {
        errors.push(name, &hides("RunningHive"));
    } else if methods.split(' ').any(|method| name == method) {
        errors.push(name, &hides(asked));
    }
}
