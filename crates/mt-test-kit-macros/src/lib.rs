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
/// The closure is an async one if the function is `async`.
#[proc_macro_attribute]
pub fn test_with(arguments: TokenStream, item: TokenStream) -> TokenStream {
    let arguments =
        parse_macro_input!(arguments with Punctuated::<Expr, Token![,]>::parse_terminated);
    let mut arguments = arguments.iter();
    let runner = arguments.next();
    let ItemFn {
        attrs, sig, block, ..
    } = parse_macro_input!(item as ItemFn);
    let (name, inputs, asyncness) = (&sig.ident, &sig.inputs, &sig.asyncness);
    let test = quote! {
        #(#attrs)*
        #[test]
        fn #name() {
            #runner(#(#arguments,)* #asyncness |#inputs| #block);
        }
    };
    test.into()
}
