//! `inline_task!`: a closure as a nested function, a type that stands for it, and a value of that type.

use proc_macro2::TokenStream;
use quote::{format_ident, quote};
use syn::{
    Expr, ExprClosure, ItemFn, Pat, Path, ReturnType, Token,
    parse::{Parse, ParseStream},
    parse_quote,
};

use crate::{captures, errors::Errors, options, signature::TaskSignature, task_impl::TaskImpl};

pub(crate) fn expand(input: TokenStream) -> TokenStream {
    let expanded = syn::parse2::<Inline>(input).and_then(|Inline { krate, closure }| {
        let (function, signature) = function_of(&closure)?;
        Ok(task(&krate, &function, &signature))
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

/// The closure as a function.
fn function_of(closure: &ExprClosure) -> syn::Result<(ItemFn, TaskSignature)> {
    let mut errors = Errors::default();
    refuse(closure, &mut errors);
    errors.take(captures::check(closure));
    let ExprClosure {
        attrs,
        constness,
        asyncness,
        inputs,
        output,
        body,
        ..
    } = closure;
    let inputs = inputs.iter().filter(|pat| matches!(pat, Pat::Type(_)));
    let mut function: ItemFn = parse_quote! {
        #(#attrs)* #constness #asyncness fn __mt_pool_inline(#(#inputs),*) #output {}
    };
    if let Expr::Block(body) = &**body {
        function.attrs.extend(body.attrs.iter().cloned());
        function.block = Box::new(body.block.clone());
    }
    let signature = errors.take(TaskSignature::of_function(&mut function.sig));
    errors.finish()?;
    Ok((function, signature.expect("what can't be read is an error")))
}

/// Refuses what a closure may be and a function may not, and types that are left out.
fn refuse(closure: &ExprClosure, errors: &mut Errors) {
    let ExprClosure {
        asyncness,
        inputs_begin,
        inputs,
        inputs_end,
        ..
    } = closure;
    errors.refuse(
        closure.lifetimes.as_ref(),
        "a task can't be generic: leave `for<…>` out",
    );
    for pat in inputs.iter().filter(|pat| !matches!(pat, Pat::Type(_))) {
        errors.push(
            pat,
            "say the type of this parameter, `|x: u32|`: a worker must know what to decode",
        );
    }
    if let ReturnType::Default = closure.output {
        let is_async = if asyncness.is_some() { "async " } else { "" };
        errors.push(
            quote!(#asyncness #inputs_begin #inputs #inputs_end),
            &format!("say what it returns: `inline_task!({is_async}|x: u32| -> u64 {{ … }})`"),
        );
    }
}

fn task(krate: &Path, function: &ItemFn, signature: &TaskSignature) -> TokenStream {
    let ty = format_ident!("__MtPoolInline");
    let task_impl = TaskImpl {
        krate,
        ty: &ty,
        function,
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
        let task = "impl :: mt_pool :: Task for __MtPoolInline";
        check(quote!(|x: u32| -> u64 { x.into() }), task);
        let function = "async fn __mt_pool_inline (s : & str) -> u64 { 0 }";
        check(quote!(async |#[shared] s: &str| -> u64 { 0 }), function);
        let task = "impl a :: b :: Task";
        check(quote!(crate = a::b, || -> u64 { 0 },), task);
    }

    #[test]
    fn types_must_be_said() {
        let output = "say what it returns: `inline_task!(|x: u32|";
        check(quote!(|x: u32| x), output);
        let output = "say what it returns: `inline_task!(async |x";
        check(quote!(async |x: u32| x), output);
        check(quote!(|x| -> u8 { x }), "say the type of this parameter");
        check(quote!(double), "expected a closure");
    }
}
