//! What the code that calls a task is made of.

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, format_ident, quote};
use syn::{Ident, Path};

use crate::{
    params::{Params, Role},
    signature::TaskSignature,
};

/// A variable that is invisible to the user's code, so that a function called `input` is still the one called.
pub(crate) fn local(name: &str) -> Ident {
    Ident::new(name, Span::mixed_site())
}

/// Variables for the values that are sent.
fn inputs(params: &Params) -> impl Iterator<Item = Ident> {
    let local = |index| format_ident!("input_{}", index, span = Span::mixed_site());
    (0..params.inputs.len()).map(local)
}

/// The pattern of those variables.
pub(crate) fn pattern(params: &Params) -> TokenStream {
    joined(&inputs(params).collect::<Vec<_>>())
}

/// Nothing, the only one, or a tuple.
pub(crate) fn joined(parts: &[impl ToTokens]) -> TokenStream {
    match parts {
        [one] => one.to_token_stream(),
        several => quote!((#(#several),*)),
    }
}

/// The call of `function`, which has the signature, to its end.
pub(crate) fn call(
    signature: &TaskSignature,
    function: &impl ToTokens,
    receiver: Option<TokenStream>,
) -> TokenStream {
    let mut inputs = inputs(&signature.params);
    let passed = signature.params.roles.iter().map(|role| match role {
        Role::Input => inputs.next().to_token_stream(),
        Role::Local { name, by_reference } => {
            let and = by_reference.then(|| quote!(&));
            let variable = local(name);
            quote!(#and #variable)
        }
    });
    let arguments = receiver.into_iter().chain(passed);
    let wait = signature.is_async.then(|| quote!(.await));
    quote!(#function(#(#arguments),*) #wait)
}

/// The parts as one type, when each can cross: `assertion` of `krate::__private` says that, in its words.
///
/// Written plainly, a type that can't be sent is two errors in serde's words, and for a tuple they
/// don't mark which part. In a function call it is one error, in the words of the function's bound, at the
/// part. The call is the argument of a trait whose associated type is the whole: when it fails, so does the
/// whole, and the compiler says nothing more about it.
pub(crate) fn checked(krate: &Path, assertion: &str, parts: &[TokenStream]) -> TokenStream {
    if parts.is_empty() {
        return quote!(());
    }
    let whole = joined(parts);
    let assertion = Ident::new(assertion, Span::call_site());
    quote! {
        <#whole as #krate::__private::Checked<{
            #(#krate::__private::#assertion::<#parts>())&*
        }>>::Type
    }
}

/// What there is to say about `error`, a reference: by the best of what its type has.
pub(crate) fn described(krate: &Path, error: &Ident) -> TokenStream {
    quote! {
        // generated: fires for some types only
        #[allow(unused_imports, reason = "one of them applies, by the type of the error")]
        use #krate::__private::{ByDebug as _, ByDisplay as _, ByName as _};
        (&&&#krate::__private::Describe(#error)).describe()
    }
}
