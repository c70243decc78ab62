//! `#[main]`: turns the process into a worker when it was started as one, then runs the function.

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, quote_spanned};
use syn::{ItemFn, Path, parse_quote};

use crate::{
    errors::{Errors, beside},
    options::MainOptions,
};

/// `krate` is where `init` is when the arguments don't say.
pub(crate) fn expand(krate: &Path, arguments: TokenStream, item: TokenStream) -> TokenStream {
    let function: ItemFn = match syn::parse2(item.clone()) {
        Ok(function) => function,
        Err(error) => return beside(&item, &error),
    };
    let options = MainOptions::parse(krate, arguments, function.sig.asyncness.is_some());
    let mut errors = Errors::default();
    let inputs = &function.sig.inputs;
    errors.refuse(
        (!inputs.is_empty()).then_some(inputs),
        "`main` takes no arguments: read `std::env::args()`",
    );
    match options.and_then(|options| errors.finish().map(|()| options)) {
        Ok(options) => main(&options, function),
        // Without `async`: the compiler has an error of its own for `async fn main`.
        Err(error) => beside(&without_async(function), &error),
    }
}

fn without_async(mut function: ItemFn) -> ItemFn {
    function.sig.asyncness = None;
    function
}

fn main(options: &MainOptions, mut function: ItemFn) -> TokenStream {
    let MainOptions { krate, builder } = options;
    if function.sig.asyncness.is_none() {
        function
            .block
            .stmts
            .insert(0, parse_quote!(#krate::init();));
        return function.into_token_stream();
    }
    let ItemFn { sig, block, .. } = &function;
    let name = &sig.ident;
    // The body stays an `async fn`: its return type is checked where it is written. What is named
    // here is invisible to it, whatever the function is called.
    let outer_block = quote_spanned! {Span::mixed_site()=> {
        #sig #block
        #krate::init();
        match #krate::__private::tokio::runtime::Builder::#builder.enable_all().build() {
            ::core::result::Result::Ok(runtime) => runtime.block_on(#name()),
            ::core::result::Result::Err(error) => {
                ::core::panic!("failed to build the tokio runtime: {}", error)
            }
        }
    }};
    let mut outer = without_async(function.clone());
    outer.block = parse_quote!(#outer_block);
    outer.block.brace_token = block.brace_token;
    outer.into_token_stream()
}

#[cfg(test)]
mod tests {
    use quote::quote;

    use super::*;
    use crate::tests::expands;

    fn expand_main(arguments: TokenStream, item: TokenStream) -> TokenStream {
        expand(&parse_quote!(::mt_pool), arguments, item)
    }

    expands! { expand_main;
        init_comes_first:
            () { pub fn main() -> R { work() } } [pub fn main() -> R { ::mt_pool::init(); work() }]
            (crate = a) { async fn main() {} } [async fn main() {} a::init();]
        the_runtime_is_what_was_asked_for:
            (worker_threads = 2) { async fn main() {} }
                [Builder::new_multi_thread().worker_threads(2).enable_all().build()]
            (flavor = "current_thread") { async fn main() {} }
                [Builder::new_current_thread().enable_all().build()]
        a_main_that_can_not_be_is_refused:
            () { fn main(x: u8) {} } ["`main` takes no arguments: read `std::env::args()`"]
            (flavor = "current_thread") { fn main() {} }
                ["only an `async fn` has a runtime to configure"]
    }
}
