//! `inline_task!`: a closure as a nested function, a type that stands for it, and a value of that type.

use proc_macro2::TokenStream;
use quote::{format_ident, quote};
use syn::{
    Expr, ExprClosure, Pat, PatType, Path, ReturnType, Token,
    parse::{Parse, ParseStream},
};

use crate::{
    captures, errors::Errors, options, params::Params, returns::Returns, signature::TaskSignature,
    task_impl::TaskImpl,
};

pub(crate) fn expand(input: TokenStream) -> TokenStream {
    let expanded = syn::parse2::<Inline>(input).and_then(|mut inline| {
        let (signature, params) = take_signature(&mut inline.closure)?;
        Ok(task(&inline, &signature, &params))
    });
    expanded.unwrap_or_else(|error| {
        // In a block, because several errors are several macro calls.
        let errors = error.to_compile_error();
        quote!({ #errors })
    })
}

/// What is between the parentheses.
struct Inline {
    krate: Path,
    closure: ExprClosure,
}

impl Parse for Inline {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let mut krate = options::default_crate();
        if input.peek(Token![crate]) && input.peek2(Token![=]) {
            input.parse::<Token![crate]>()?;
            input.parse::<Token![=]>()?;
            krate = input.call(Path::parse_mod_style)?;
            input.parse::<Token![,]>()?;
        }
        let closure = match input.parse::<Expr>()? {
            Expr::Closure(closure) => closure,
            other => {
                return Err(syn::Error::new_spanned(
                    other,
                    "expected a closure: `inline_task!(|x: u32| -> u64 { … })`. A function with \
                     `#[task]` is a task by its name, without this macro",
                ));
            }
        };
        input.parse::<Option<Token![,]>>()?;
        Ok(Self { krate, closure })
    }
}

/// The closure's signature, and its parameters without the attributes of this macro.
fn take_signature(closure: &mut ExprClosure) -> syn::Result<(TaskSignature, Vec<PatType>)> {
    let mut errors = Errors::default();
    errors.refuse(
        closure.lifetimes.as_ref(),
        "a task can't be generic: leave `for<…>` out",
    );
    errors.refuse(closure.constness, "a task can't be `const`: leave it out");
    let mut params = typed_params(closure, &mut errors);
    let roles = Params::of_function(params.iter_mut());
    errors.take(captures::check(closure));
    let is_async = closure.asyncness.is_some();
    let signature = TaskSignature::new(is_async, roles, returns(closure), errors)?;
    Ok((signature, params))
}

fn typed_params(closure: &ExprClosure, errors: &mut Errors) -> Vec<PatType> {
    let mut params = Vec::new();
    for pat in &closure.inputs {
        match pat {
            Pat::Type(param) => params.push(param.clone()),
            other => errors.push(
                other,
                "say the type of this parameter, `|x: u32|`: a worker must know what to decode",
            ),
        }
    }
    params
}

fn returns(closure: &ExprClosure) -> syn::Result<Returns> {
    let ExprClosure {
        asyncness,
        inputs_begin,
        inputs,
        inputs_end,
        output,
        ..
    } = closure;
    if let ReturnType::Default = output {
        let is_async = if asyncness.is_some() { "async " } else { "" };
        return Err(syn::Error::new_spanned(
            quote!(#asyncness #inputs_begin #inputs #inputs_end),
            format!("say what it returns: `inline_task!({is_async}|x: u32| -> u64 {{ … }})`"),
        ));
    }
    Returns::parse(output)
}

fn task(inline: &Inline, signature: &TaskSignature, params: &[PatType]) -> TokenStream {
    let Inline { krate, closure } = inline;
    let ExprClosure {
        attrs,
        asyncness,
        output,
        body,
        ..
    } = closure;
    let (function, ty) = (
        format_ident!("__mt_pool_inline"),
        format_ident!("__MtPoolInline"),
    );
    let task_impl = TaskImpl {
        krate,
        ty: &ty,
        function: &function,
        name: quote! {
            ::core::concat!(
                ::core::module_path!(), "::inline_task@",
                ::core::file!(), ":", ::core::line!(), ":", ::core::column!(),
            )
        },
        signature,
        cfgs: &[],
    };
    quote! {
        {
            // generated: the user can't choose how parameters are taken
            #[allow(
                clippy::needless_pass_by_value,
                clippy::trivially_copy_pass_by_ref,
                reason = "how a task takes its parameters is not for it to choose"
            )]
            #(#attrs)*
            #asyncness fn #function(#(#params),*) #output #body

            /// A closure that runs in a worker process.
            #[derive(::core::fmt::Debug, ::core::clone::Clone, ::core::marker::Copy)]
            struct #ty;

            #task_impl

            #ty
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(closure: TokenStream, part: &str) {
        let expanded = expand(closure);
        syn::parse2::<Expr>(expanded.clone()).expect("an expansion is an expression");
        let text = expanded.to_string();
        assert!(text.contains(part), "no `{part}` in: {text}");
    }

    #[test]
    fn a_closure_becomes_a_function_and_a_value() {
        check(
            quote!(|x: u32| -> u64 { x.into() }),
            "impl :: mt_pool :: Task for __MtPoolInline",
        );
        check(
            quote!(async |#[shared] s: &str| -> u64 { 0 }),
            "async fn __mt_pool_inline (s : & str) -> u64 { 0 }",
        );
        check(
            quote!(crate = a::b, || -> u64 { 0 },),
            "impl a :: b :: Task",
        );
    }

    #[test]
    fn types_must_be_said() {
        check(
            quote!(|x: u32| x),
            "say what it returns: `inline_task!(|x: u32|",
        );
        check(
            quote!(async |x: u32| x),
            "say what it returns: `inline_task!(async |x",
        );
        check(quote!(|x| -> u8 { x }), "say the type of this parameter");
        check(quote!(double), "expected a closure");
    }
}
