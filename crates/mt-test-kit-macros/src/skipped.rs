//! The tests of files that a system can't run, by their names.

use std::{env, fs, path::PathBuf};

use proc_macro2::TokenStream;
use quote::{format_ident, quote};
use syn::{Attribute, Item, LitStr, Token, parse::ParseStream};

/// Files, each with what the system lacks.
pub(crate) struct Files(Vec<(LitStr, LitStr)>);

impl Files {
    pub(crate) fn parse_all(input: ParseStream<'_>) -> syn::Result<Self> {
        let mut files = Vec::new();
        while !input.is_empty() {
            let file = input.parse()?;
            input.parse::<Token![:]>()?;
            files.push((file, input.parse()?));
            input.parse::<Token![,]>()?;
        }
        Ok(Self(files))
    }

    /// A module for each.
    pub(crate) fn tests(&self) -> TokenStream {
        let modules = self.0.iter().map(|(file, reason)| module(file, reason));
        let modules = modules.map(|module| module.unwrap_or_else(syn::Error::into_compile_error));
        modules.collect()
    }
}

fn module(file: &LitStr, reason: &LitStr) -> syn::Result<TokenStream> {
    let failed = |why: &dyn std::fmt::Display| syn::Error::new(file.span(), why);
    let root = env::var("CARGO_MANIFEST_DIR").map_err(|error| failed(&error))?;
    let path = PathBuf::from(root).join(file.value());
    let text = fs::read_to_string(&path).map_err(|error| failed(&error))?;
    let parsed = syn::parse_file(&text).map_err(|error| failed(&error))?;
    let tests: Vec<_> = parsed.items.into_iter().filter_map(test_name).collect();
    let name = path.file_stem().and_then(|stem| stem.to_str());
    let name = format_ident!("{}", name.ok_or_else(|| failed(&"it has no name"))?);
    let path = path.to_string_lossy();
    Ok(quote! {
        mod #name {
            // Built anew when the file changes.
            const _: &str = include_str!(#path);
            #(
                #[test]
                fn #tests() {
                    ::mt_test_kit::skipped(
                        concat!(module_path!(), "::", stringify!(#tests)),
                        #reason,
                    );
                }
            )*
        }
    })
}

/// The name of an item that is a test.
fn test_name(item: Item) -> Option<syn::Ident> {
    let is_test = |attribute: &Attribute| {
        let path = attribute.path();
        path.is_ident("test") || path.is_ident("test_with")
    };
    match item {
        Item::Fn(function) if function.attrs.iter().any(is_test) => Some(function.sig.ident),
        _ => None,
    }
}
