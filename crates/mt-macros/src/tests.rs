//! What the tests of all macros need.

use proc_macro2::TokenStream;

/// Tests of what an attribute with these arguments makes of an item: all of these parts are in it.
macro_rules! expands {
    ($expand:expr; $($test:ident: $(($($arguments:tt)*) { $($item:tt)* } $([$($part:tt)*])+)+)+) => {
        $(#[test]
        fn $test() {
            $(crate::tests::check_parts(
                &$expand(quote!($($arguments)*), quote!($($item)*)),
                &[$(quote!($($part)*)),+],
            );)+
        })+
    };
}
pub(crate) use expands;

/// The expansion is items, and has each of these parts.
pub(crate) fn check_parts(expanded: &TokenStream, parts: &[TokenStream]) {
    let file: syn::File = syn::parse2(expanded.clone()).expect("an expansion is items");
    assert!(!file.items.is_empty());
    let text = expanded.to_string().replace(' ', "");
    for part in parts {
        let part = part.to_string().replace(' ', "");
        assert!(text.contains(&part), "no `{part}` in: {text}");
    }
}
