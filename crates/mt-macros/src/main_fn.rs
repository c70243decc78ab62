//! `#[main]`: turns the process into a worker when it was started as one, then runs the function.

use proc_macro2::{Literal, Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::{ItemFn, Path, Safety, Signature, parse_quote};

use crate::{
    errors::{Errors, beside},
    options::{Flavor, MainOptions},
};

/// `krate` is where `init` is when the arguments don't say.
pub(crate) fn expand(krate: &Path, arguments: TokenStream, item: TokenStream) -> TokenStream {
    let function: ItemFn = match syn::parse2(item.clone()) {
        Ok(function) => function,
        Err(error) => return beside(&item, &error),
    };
    let options = MainOptions::parse(krate, arguments, function.sig.asyncness.is_some());
    match options.and_then(|options| check(&function.sig).map(|()| options)) {
        Ok(options) => main(&options, function),
        // Without `async`: the compiler has an error of its own for `async fn main`.
        Err(error) => beside(&without_async(function), &error),
    }
}

fn check(sig: &Signature) -> syn::Result<()> {
    let mut errors = Errors::default();
    if !sig.inputs.is_empty() {
        errors.push(
            &sig.inputs,
            "`main` takes no arguments: read `std::env::args()`",
        );
    }
    if !sig.generics.params.is_empty() {
        errors.push(&sig.generics, "`main` can't be generic");
    }
    if let Some(token) = &sig.constness {
        errors.push(token, "`main` can't be `const`");
    }
    if let Safety::Unsafe(token) = &sig.safety {
        errors.push(token, "`main` can't be unsafe");
    }
    if let Some(abi) = &sig.abi {
        errors.push(abi, "`main` is a plain Rust function");
    }
    errors.finish()
}

fn without_async(mut function: ItemFn) -> ItemFn {
    function.sig.asyncness = None;
    function
}

fn main(options: &MainOptions, mut function: ItemFn) -> TokenStream {
    let krate = &options.krate;
    if function.sig.asyncness.is_none() {
        function
            .block
            .stmts
            .insert(0, parse_quote!(#krate::init();));
        return function.into_token_stream();
    }
    let runtime = runtime(options);
    let ItemFn { sig, block, .. } = &function;
    let name = &sig.ident;
    // The body stays an `async fn`: its return type is checked where it is written. What is named
    // here is invisible to it, whatever the function is called.
    let outer_block = quote_spanned! {Span::mixed_site()=> {
        #sig #block
        #krate::init();
        match #runtime {
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

/// The expression that builds the runtime.
fn runtime(options: &MainOptions) -> TokenStream {
    let krate = &options.krate;
    let new = match options.flavor {
        Flavor::CurrentThread => quote!(new_current_thread()),
        Flavor::MultiThread {
            worker_threads: None,
        } => quote!(new_multi_thread()),
        Flavor::MultiThread {
            worker_threads: Some(count),
        } => {
            let count = Literal::usize_unsuffixed(count);
            quote!(new_multi_thread().worker_threads(#count))
        }
    };
    quote!(#krate::__private::tokio::runtime::Builder::#new.enable_all().build())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(arguments: TokenStream, item: TokenStream, part: TokenStream) {
        let expanded = expand(&parse_quote!(::mt_pool), arguments, item);
        syn::parse2::<syn::File>(expanded.clone()).expect("an expansion is items");
        let (text, part) = (expanded.to_string(), part.to_string());
        assert!(text.contains(&part), "no `{part}` in: {text}");
    }

    #[test]
    fn init_comes_first() {
        check(
            quote!(),
            quote! { pub fn main() -> R { work() } },
            quote! { pub fn main() -> R { ::mt_pool::init(); work() } },
        );
        check(
            quote!(crate = a),
            quote! { async fn main() {} },
            quote! { async fn main() {} a::init(); },
        );
    }

    #[test]
    fn the_runtime_is_what_was_asked_for() {
        check(
            quote!(worker_threads = 2),
            quote! { async fn main() {} },
            quote! { Builder::new_multi_thread().worker_threads(2).enable_all().build() },
        );
        check(
            quote!(flavor = "current_thread"),
            quote! { async fn main() {} },
            quote! { Builder::new_current_thread().enable_all().build() },
        );
    }

    #[test]
    fn a_main_that_can_not_be_is_refused() {
        check(
            quote!(),
            quote! { fn main(x: u8) {} },
            quote!("`main` takes no arguments: read `std::env::args()`"),
        );
        check(
            quote!(),
            quote! { fn main<T>() {} },
            quote!("`main` can't be generic"),
        );
        check(
            quote!(flavor = "current_thread"),
            quote! { fn main() {} },
            quote!("only an `async fn` has a runtime to configure"),
        );
    }
}
