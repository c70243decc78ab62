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
        function,
        name: quote!(::core::concat!(::core::module_path!(), "::", #name)),
        signature,
        cfgs: &cfgs,
    };
    quote! {
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
    use crate::tests::expands;

    expands! { expand;
        the_function_stays_and_a_type_stands_beside_it:
            () { #[inline] pub(crate) fn add(a: u8, b: u16) -> u32 { 0 } }
                [#[inline] pub(crate) fn add(a: u8, b: u16) -> u32 { 0 }]
                [pub(crate) struct add {}]
                [impl ::mt_pool::Task for add]
                [type Input = <(u8, u16) as ::mt_pool::__private::Checked]
                [::mt_pool::__private::wire::<u8>() & ::mt_pool::__private::wire::<u16>()]
                [::mt_pool::__private::returns::Probe::<u32>::IS_RESULT]
                [::mt_pool::__private::returns::As<{ add::__RETURNS }> as ::mt_pool::__private::returns::Returns<u32> >::Value]
                [as ::mt_pool::__private::returns::Returns<u32> >::Error;]
                [as ::mt_pool::__private::returns::Returns<_> >::outcome(add(input_0, input_1))]
                [::mt_pool::__private::Registration::of::<add>()]
        marked_parameters_are_passed_by_reference_in_their_place:
            (crate = crate::pool)
            { async fn get(#[context] w: &Web, url: Url, #[shared] s: &[u8]) -> anyhow::Result<u8> {} }
                [async fn get(w: &Web, url: Url, s: &[u8]) -> anyhow::Result<u8> {}]
                [impl crate::pool::Task for get]
                [crate::pool::task::TaskStyle::Async]
                [type Shared = <::std::vec::Vec<u8> as crate::pool::__private::Checked]
                [type Context = Web;]
                [::outcome(get(&context, input_0, &shared).await)]
        the_name_leaves_out_the_raw_prefix:
            () { fn r#try() {} } ["::", "try"]
        an_error_keeps_the_function:
            () { fn f(x: &str) {} } [::core::compile_error!] [fn f(x: &str) {}]
    }

    #[test]
    fn conditions_of_the_function_hold_for_all_of_it() {
        let expanded = expand(quote!(), quote! { #[cfg(unix)] fn f() {} }).to_string();
        assert_eq!(expanded.matches("cfg (unix)").count(), 5, "{expanded}");
    }
}
