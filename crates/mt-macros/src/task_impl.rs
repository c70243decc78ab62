//! The function of a task, its `impl Task` and its registration.

use proc_macro2::TokenStream;
use quote::{ToTokens, format_ident, quote};
use syn::{Attribute, Ident, ItemFn, Path};

use crate::{
    call::{call, checked, described, local, pattern},
    signature::TaskSignature,
};

/// What is written for a task besides its type.
pub(crate) struct TaskImpl<'a> {
    /// The path of `mt_pool`.
    pub(crate) krate: &'a Path,
    /// The type that implements `Task`.
    pub(crate) ty: &'a Ident,
    /// The function it calls.
    pub(crate) function: &'a ItemFn,
    /// The expression it is registered under.
    pub(crate) name: TokenStream,
    pub(crate) signature: &'a TaskSignature,
    /// The `#[cfg]`s of the function.
    pub(crate) cfgs: &'a [Attribute],
}

impl ToTokens for TaskImpl<'_> {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        let Self {
            krate,
            ty,
            name,
            cfgs,
            signature,
            function,
        } = self;
        let style = format_ident!("{}", if signature.is_async { "Async" } else { "Sync" });
        let how = signature.returns.how(krate);
        let types = self.types();
        let functions = self.functions();
        tokens.extend(quote! {
            // generated: the user can't choose how parameters are taken
            #[allow(
                clippy::needless_pass_by_value,
                clippy::trivially_copy_pass_by_ref,
                reason = "how a task takes its parameters is not for it to choose"
            )]
            #function

            #(#cfgs)*
            #[automatically_derived]
            #[doc(hidden)]
            impl #ty {
                const __RETURNS: ::core::primitive::u8 = #how;
            }
            #(#cfgs)*
            #[automatically_derived]
            #[doc(hidden)]
            // generated: fires for some functions only
            #[allow(
                deprecated,
                clippy::future_not_send,
                clippy::unit_arg,
                reason = "a deprecated function is a task nevertheless, tasks stay on one thread, and some return nothing"
            )]
            impl #krate::Task for #ty {
                const NAME: &'static str = #name;
                const STYLE: #krate::task::TaskStyle = #krate::task::TaskStyle::#style;
                #types
                #functions
            }
            #(#cfgs)*
            #krate::__private::inventory::submit! {
                #krate::__private::Registration::of::<#ty>()
            }
        });
    }
}

impl TaskImpl<'_> {
    /// The constant that says what the function returns.
    fn how(&self) -> TokenStream {
        let ty = self.ty;
        quote!(#ty::__RETURNS)
    }

    fn types(&self) -> TokenStream {
        let (krate, how) = (self.krate, self.how());
        let TaskSignature {
            params, returns, ..
        } = self.signature;
        let input = checked(krate, "wire", &params.inputs);
        let output = checked(krate, "wire", &[returns.part(krate, &how, "Value")]);
        let error = returns.part(krate, &how, "Error");
        let shared = checked(krate, "wire", params.shared.as_slice());
        let no_context = quote!(#krate::NoContext);
        let context = params.context.as_ref().unwrap_or(&no_context);
        quote! {
            type Input = #input;
            type Output = #output;
            type Error = #error;
            type Shared = #shared;
            type Context = #context;
        }
    }

    fn functions(&self) -> TokenStream {
        let (krate, params) = (self.krate, &self.signature.params);
        let [context, shared, error] = ["context", "shared", "error"].map(local);
        let input = pattern(params);
        let called = call(self.signature, &self.function.sig.ident, None);
        let body = self.signature.returns.outcome(krate, &self.how(), &called);
        let default_shared = match params.shared {
            None => quote!(::core::option::Option::Some(())),
            Some(_) => quote!(::core::option::Option::None),
        };
        let described = described(krate, &error);
        quote! {
            #[inline]
            fn call(
                #context: ::std::rc::Rc<Self::Context>,
                #shared: ::std::rc::Rc<Self::Shared>,
                #input: Self::Input,
            ) -> impl ::core::future::Future<
                Output = ::core::result::Result<Self::Output, Self::Error>,
            > + 'static {
                async move {
                    let _ = (&#context, &#shared);
                    #body
                }
            }
            fn default_shared() -> ::core::option::Option<Self::Shared> {
                #default_shared
            }
            fn describe_error(#error: &Self::Error) -> ::std::string::String {
                #described
            }
        }
    }
}
