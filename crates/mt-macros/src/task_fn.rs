//! `#[task]`: the function as it was, and beside it the type that stands for it.

use proc_macro2::TokenStream;
use quote::quote;
use syn::{ItemFn, Path, ext::IdentExt};

use crate::{
    attributes::named, errors::beside, options::task_crate, signature::TaskSignature,
    task_impl::TaskImpl,
};

pub(crate) fn expand(arguments: TokenStream, item: TokenStream) -> TokenStream {
    let mut function: ItemFn = match syn::parse2(item.clone()) {
        Ok(function) => function,
        Err(error) => {
            let message =
                format!("`#[task]` goes on a function with a body, `fn` or `async fn` ({error})");
            return beside(&item, &syn::Error::new(error.span(), message));
        }
    };
    let signature = TaskSignature::of_function(&mut function.sig);
    match task_crate(arguments).and_then(|krate| Ok((krate, signature?))) {
        Ok((krate, signature)) => task(&krate, &function, &signature),
        Err(error) => beside(&function, &error),
    }
}

fn task(krate: &Path, function: &ItemFn, signature: &TaskSignature) -> TokenStream {
    let ItemFn {
        vis, sig, attrs, ..
    } = function;
    let ident = &sig.ident;
    let cfgs = named(attrs, "cfg");
    let name = ident.unraw().to_string();
    let docs = format!("The task that calls the function `{name}` in a worker process.");
    let task_impl = TaskImpl {
        krate,
        ty: ident,
        function: ident,
        name: quote!(::core::concat!(::core::module_path!(), "::", #name)),
        signature,
        cfgs: &cfgs,
    };
    quote! {
        // generated: the user can't choose how parameters are taken
        #[allow(
            clippy::needless_pass_by_value,
            clippy::trivially_copy_pass_by_ref,
            reason = "how a task takes its parameters is not for it to choose"
        )]
        #function

        #(#cfgs)*
        #[doc = #docs]
        // generated: the struct has the function's name
        #[allow(
            dead_code,
            missing_copy_implementations,
            missing_debug_implementations,
            non_camel_case_types,
            unreachable_pub,
            clippy::empty_structs_with_brackets,
            reason = "it has the name and the visibility of the function it stands for"
        )]
        #vis struct #ident {}

        #task_impl
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The expansion is items, and has each of these parts.
    fn check(arguments: TokenStream, item: TokenStream, parts: &[TokenStream]) {
        let expanded = expand(arguments, item);
        let file: syn::File = syn::parse2(expanded.clone()).expect("an expansion is items");
        assert!(!file.items.is_empty());
        let text = expanded.to_string().replace(' ', "");
        for part in parts {
            let part = part.to_string().replace(' ', "");
            assert!(text.contains(&part), "no `{part}` in: {text}");
        }
    }

    #[test]
    fn the_function_stays_and_a_type_stands_beside_it() {
        check(
            quote!(),
            quote! { #[inline] pub(crate) fn add(a: u8, b: u16) -> u32 { 0 } },
            &[
                quote! { #[inline] pub(crate) fn add(a: u8, b: u16) -> u32 { 0 } },
                quote! { pub(crate) struct add {} },
                quote! { impl ::mt_pool::Task for add },
                quote! { type Input = <(u8, u16) as ::mt_pool::__private::Checked },
                quote! { ::mt_pool::__private::wire::<u8>() & ::mt_pool::__private::wire::<u16>() },
                quote! { ::mt_pool::__private::returns::Probe::<u32>::IS_RESULT },
                quote! { ::mt_pool::__private::returns::As<{ add::__RETURNS }> as ::mt_pool::__private::returns::Returns<u32> >::Value },
                quote! { as ::mt_pool::__private::returns::Returns<u32> >::Error; },
                quote! { as ::mt_pool::__private::returns::Returns<_> >::outcome(add(input_0, input_1)) },
                quote! { ::mt_pool::__private::Registration::of::<add>() },
            ],
        );
    }

    #[test]
    fn marked_parameters_are_passed_by_reference_in_their_place() {
        check(
            quote!(crate = crate::pool),
            quote! { async fn get(#[context] w: &Web, url: Url, #[shared] s: &[u8]) -> anyhow::Result<u8> {} },
            &[
                quote! { async fn get(w: &Web, url: Url, s: &[u8]) -> anyhow::Result<u8> {} },
                quote! { impl crate::pool::Task for get },
                quote! { crate::pool::task::TaskStyle::Async },
                quote! { type Shared = <::std::vec::Vec<u8> as crate::pool::__private::Checked },
                quote! { type Context = Web; },
                quote! { ::outcome(get(&context, input_0, &shared).await) },
            ],
        );
    }

    #[test]
    fn the_name_leaves_out_the_raw_prefix() {
        check(
            quote!(),
            quote! { fn r#try() {} },
            &[quote! { "::", "try" }],
        );
    }

    #[test]
    fn conditions_of_the_function_hold_for_all_of_it() {
        let expanded = expand(quote!(), quote! { #[cfg(unix)] fn f() {} }).to_string();
        assert_eq!(expanded.matches("cfg (unix)").count(), 5, "{expanded}");
    }

    #[test]
    fn an_error_keeps_the_function() {
        check(
            quote!(),
            quote! { fn f(x: &str) {} },
            &[quote!(::core::compile_error!), quote! { fn f(x: &str) {} }],
        );
    }
}
