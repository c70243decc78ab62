//! The macros [`macro@test_with`] and [`skipped_tests!`]: use them through `mt-test-kit`.

mod skipped;

use proc_macro::TokenStream;
use quote::quote;
use syn::{Expr, ExprCall, ItemFn, Token, parse_macro_input, punctuated::Punctuated};

/// Makes a function a test that another function runs, which is given its body as a closure after other arguments.
///
/// ```text
/// #[test_with(check, 3)]                    #[test]
/// fn a_story(scene: Scene) { … }    is      fn a_story() { check(3, |scene: Scene| { … }); }
/// ```
///
/// The closure is an async one if the function is `async`. Without a function to run it, it is a compile error.
///
/// `not_on(windows, "why")` among the arguments names systems (`windows`, `wine`, `macos`) that can't run the test, and
/// what they lack: there it says so and does nothing else.
#[proc_macro_attribute]
pub fn test_with(arguments: TokenStream, item: TokenStream) -> TokenStream {
    let arguments =
        parse_macro_input!(arguments with Punctuated::<Expr, Token![,]>::parse_terminated);
    let (skips, arguments): (Vec<_>, Vec<_>) = arguments.into_iter().partition(is_skip);
    let mut arguments = arguments.iter();
    let Some(runner) = arguments.next() else {
        // Without one the closure would stand there and never run.
        return quote!(::core::compile_error!("name the function that runs the test");).into();
    };
    let ItemFn {
        attrs, sig, block, ..
    } = parse_macro_input!(item as ItemFn);
    let (name, inputs, asyncness, output) = (&sig.ident, &sig.inputs, &sig.asyncness, &sig.output);
    let skips = skips.iter().map(|skip| skips_here(skip, name));
    let test = quote! {
        #(#attrs)*
        #[test]
        fn #name() {
            #(#skips)*
            #runner(#(#arguments,)* #asyncness |#inputs| #output #block);
        }
    };
    test.into()
}

/// Lists the tests of files that this system can't run, each of which says so and the reason: for every file, named from the
/// folder of the crate, a module with its name that has tests with the names of its tests.
///
/// ```text
/// skipped_tests! {
///     "tests/processes/platform/linux/users.rs": "the system has no users that a process can become",
/// }
/// ```
#[proc_macro]
pub fn skipped_tests(input: TokenStream) -> TokenStream {
    let files = parse_macro_input!(input with skipped::Files::parse_all);
    files.tests().into()
}

/// Whether an argument is one about systems that can't run a test.
fn is_skip(argument: &Expr) -> bool {
    matches!(argument, Expr::Call(ExprCall { func, .. })
        if matches!(&**func, Expr::Path(path) if path.path.is_ident("not_on")))
}

/// Returns from a test at once on those systems.
fn skips_here(skip: &Expr, test: &syn::Ident) -> proc_macro2::TokenStream {
    let Expr::Call(ExprCall { args, .. }) = skip else {
        return quote!();
    };
    let (reason, systems) = (args.last(), args.iter().take(args.len().saturating_sub(1)));
    quote! {
        if ::mt_test_kit::is_skipped(
            concat!(module_path!(), "::", stringify!(#test)),
            &[#(stringify!(#systems)),*],
            #reason,
        ) {
            return;
        }
    }
}
