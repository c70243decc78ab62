//! The attribute [`macro@test_with`]: use it through `mt-test-kit`.

use proc_macro::TokenStream;
use quote::quote;
use syn::{Expr, ItemFn, Token, parse_macro_input, punctuated::Punctuated};

/// Makes a function a test that another function runs, which is given its body as a closure after other arguments.
///
/// ```text
/// #[test_with(check, 3)]                    #[test]
/// fn a_story(scene: Scene) { … }    is      fn a_story() { check(3, |scene: Scene| { … }); }
/// ```
///
/// The closure is an async one if the function is `async`. Without a function to run it, it is a compile error.
#[proc_macro_attribute]
pub fn test_with(arguments: TokenStream, item: TokenStream) -> TokenStream {
    let arguments =
        parse_macro_input!(arguments with Punctuated::<Expr, Token![,]>::parse_terminated);
    let mut arguments = arguments.iter();
    let Some(runner) = arguments.next() else {
        // Without one the closure would stand there and never run.
        return quote!(::core::compile_error!("name the function that runs the test");).into();
    };
    let ItemFn {
        attrs, sig, block, ..
    } = parse_macro_input!(item as ItemFn);
    let (name, inputs, asyncness, output) = (&sig.ident, &sig.inputs, &sig.asyncness, &sig.output);
    let test = quote! {
        #(#attrs)*
        #[test]
        fn #name() {
            #runner(#(#arguments,)* #asyncness |#inputs| #output #block);
        }
    };
    test.into()
}
