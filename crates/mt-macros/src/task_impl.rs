//! The `impl Task` and the registration of a task.

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, format_ident, quote};
use syn::{Attribute, Ident, Path, Type};

use crate::{
    params::{Params, Role},
    signature::TaskSignature,
};

/// What is written for a task besides its function and its type.
pub(crate) struct TaskImpl<'a> {
    /// The path of `mt_pool`.
    pub(crate) krate: &'a Path,
    /// The type that implements `Task`.
    pub(crate) ty: &'a Ident,
    /// The function it calls.
    pub(crate) function: &'a Ident,
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
            ..
        } = self;
        let style = if signature.is_async {
            quote!(Async)
        } else {
            quote!(Sync)
        };
        let how = signature.returns.how(krate);
        let types = self.types();
        let call = self.call();
        let default_shared = match signature.params.shared {
            None => quote!(::core::option::Option::Some(())),
            Some(_) => quote!(::core::option::Option::None),
        };
        tokens.extend(quote! {
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
                #call
                fn default_shared() -> ::core::option::Option<Self::Shared> {
                    #default_shared
                }
                fn describe_error(error: &Self::Error) -> ::std::string::String {
                    // generated: fires for some types only
                    #[allow(
                        unused_imports,
                        reason = "one of them applies, by the type of the error"
                    )]
                    use #krate::__private::{ByDebug as _, ByDisplay as _, ByName as _};
                    (&&&#krate::__private::Describe(error)).describe()
                }
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

    /// The associated types.
    fn types(&self) -> TokenStream {
        let krate = self.krate;
        let params = &self.signature.params;
        let input = self.input_type(&params.inputs);
        let shared = params
            .shared
            .as_ref()
            .map_or_else(|| quote!(()), |ty| self.checked(ty));
        let context = params
            .context
            .clone()
            .unwrap_or_else(|| quote!(#krate::NoContext));
        let returns = &self.signature.returns;
        let how = self.how();
        let output = self.checked(&returns.value(krate, &how));
        let error = returns.error(krate, &how);
        quote! {
            type Input = #input;
            type Output = #output;
            type Error = #error;
            type Shared = #shared;
            type Context = #context;
        }
    }

    /// No parameter: `()`, one: its type, several: a tuple.
    fn input_type(&self, inputs: &[Type]) -> TokenStream {
        match inputs {
            [] => quote!(()),
            [one] => self.checked(&one.to_token_stream()),
            _ => self.checked_parts(&quote!((#(#inputs),*)), inputs),
        }
    }

    fn checked(&self, ty: &TokenStream) -> TokenStream {
        self.checked_parts(ty, &[ty])
    }

    /// `whole`, which is `Wire` when each of `parts` is.
    ///
    /// Written plainly, a type that can't be sent is two errors in serde's words, and for a tuple they
    /// don't mark which part. In a function call it is one error, in the words of `Wire`, at the part.
    /// The call is the argument of a trait whose associated type is `whole`: when it fails, so does
    /// `whole`, and the compiler says nothing more about it.
    fn checked_parts(&self, whole: &TokenStream, parts: &[impl ToTokens]) -> TokenStream {
        let krate = self.krate;
        quote! {
            <#whole as #krate::__private::Checked<{
                #(#krate::__private::wire::<#parts>())&*
            }>>::Type
        }
    }

    fn call(&self) -> TokenStream {
        let locals = Locals::new(self.signature);
        let (context, shared, input) = (&locals.context, &locals.shared, &locals.input);
        let body = self.body(&locals);
        quote! {
            fn call(
                #context: ::std::rc::Rc<Self::Context>,
                #shared: ::std::rc::Rc<Self::Shared>,
                #input: Self::Input,
            ) -> impl ::core::future::Future<
                Output = ::core::result::Result<Self::Output, Self::Error>,
            > + 'static {
                async move { #body }
            }
        }
    }

    fn body(&self, locals: &Locals) -> TokenStream {
        let (function, arguments) = (self.function, &locals.arguments);
        let wait = self.signature.is_async.then(|| quote!(.await));
        let called = quote!(#function(#(#arguments),*) #wait);
        let returns = &self.signature.returns;
        returns.outcome(self.krate, &self.how(), &called)
    }
}

/// The parameters of `call` and what it passes on. The names are invisible to the function's own, so
/// that a function called `input` is still the one called.
struct Locals {
    context: TokenStream,
    shared: TokenStream,
    input: TokenStream,
    arguments: Vec<TokenStream>,
}

impl Locals {
    fn new(signature: &TaskSignature) -> Self {
        let Params {
            roles,
            inputs,
            shared,
            context,
        } = &signature.params;
        let local = |name: &str| Ident::new(name, Span::mixed_site());
        let used = |name: &str, used: bool| match used {
            true => local(name).into_token_stream(),
            false => quote!(_),
        };
        let items: Vec<Ident> = (0..inputs.len())
            .map(|index| format_ident!("input_{}", index, span = Span::mixed_site()))
            .collect();
        let mut left = items.iter();
        let arguments = roles.iter().map(|role| match role {
            Role::Input => left.next().to_token_stream(),
            Role::Shared => borrow(&local("shared")),
            Role::Context => borrow(&local("context")),
        });
        Self {
            arguments: arguments.collect(),
            context: used("context", context.is_some()),
            shared: used("shared", shared.is_some()),
            input: match items.as_slice() {
                [] => quote!(()),
                [one] => one.to_token_stream(),
                several => quote!((#(#several),*)),
            },
        }
    }
}

/// `&Rc<String>` becomes `&String`, `&str` by itself.
fn borrow(local: &Ident) -> TokenStream {
    quote!(&#local)
}
