//! The arguments of the macros: `crate = path`, and for `#[main]` the runtime.

use proc_macro2::TokenStream;
use quote::quote;
use syn::{
    LitInt, LitStr, Path, meta::ParseNestedMeta, parse::Parser, parse_quote, spanned::Spanned,
};

/// The path of `mt_pool`, from what `#[task(…)]` was given.
pub(crate) fn task_crate(arguments: TokenStream) -> syn::Result<Path> {
    let mut krate = None;
    let parser = syn::meta::parser(|meta| match crate_path(&meta, &mut krate)? {
        true => Ok(()),
        false => Err(meta.error("unknown argument: the only one is `crate = path::to::mt_pool`")),
    });
    parser.parse2(arguments)?;
    Ok(krate.unwrap_or_else(default_crate))
}

/// What `#[main(…)]` was given.
pub(crate) struct MainOptions {
    pub(crate) krate: Path,
    /// How the builder of the runtime of an `async fn main` is made.
    pub(crate) builder: TokenStream,
}

impl MainOptions {
    /// Parses the arguments of a `main`; a synchronous one has no runtime to describe.
    pub(crate) fn parse(
        default: &Path,
        arguments: TokenStream,
        is_async: bool,
    ) -> syn::Result<Self> {
        let mut krate = None;
        let mut flavor: Option<LitStr> = None;
        let mut threads: Option<LitInt> = None;
        let parser = syn::meta::parser(|meta| {
            if crate_path(&meta, &mut krate)? {
                return Ok(());
            }
            let is_flavor = meta.path.is_ident("flavor");
            if !is_flavor && !meta.path.is_ident("worker_threads") {
                let known = "unknown argument: there are `flavor`, `worker_threads` and `crate`";
                return Err(meta.error(known));
            }
            if !is_async {
                return Err(meta.error("only an `async fn` has a runtime to configure"));
            }
            match is_flavor {
                true => flavor = Some(meta.value()?.parse()?),
                false => threads = Some(meta.value()?.parse()?),
            }
            Ok(())
        });
        parser.parse2(arguments)?;
        Ok(Self {
            krate: krate.unwrap_or_else(|| default.clone()),
            builder: builder(flavor.as_ref(), threads.as_ref())?,
        })
    }
}

fn builder(flavor: Option<&LitStr>, threads: Option<&LitInt>) -> syn::Result<TokenStream> {
    if let Some(count) = threads
        && count.base10_parse::<usize>()? == 0
    {
        return Err(syn::Error::new_spanned(
            count,
            "a runtime has at least one thread",
        ));
    }
    let flavor_name = flavor.map(LitStr::value);
    match (flavor_name.as_deref(), threads) {
        (None | Some("multi_thread"), None) => Ok(quote!(new_multi_thread())),
        (None | Some("multi_thread"), Some(count)) => {
            Ok(quote!(new_multi_thread().worker_threads(#count)))
        }
        (Some("current_thread"), None) => Ok(quote!(new_current_thread())),
        (Some("current_thread"), Some(count)) => Err(syn::Error::new_spanned(
            count,
            "the `current_thread` runtime has one thread: leave `worker_threads` out",
        )),
        (Some(_), _) => Err(syn::Error::new_spanned(
            flavor,
            "unknown flavor: there are \"multi_thread\" and \"current_thread\"",
        )),
    }
}

/// Whether `meta` is `crate = path`; keeps the path.
pub(crate) fn crate_path(meta: &ParseNestedMeta<'_>, path: &mut Option<Path>) -> syn::Result<bool> {
    if !meta.path.is_ident("crate") {
        return Ok(false);
    }
    let value: Path = meta.value()?.call(Path::parse_mod_style)?;
    if path.is_some() {
        return Err(syn::Error::new(value.span(), "`crate` is given twice"));
    }
    *path = Some(value);
    Ok(true)
}

/// Where `mt_pool` is when nothing else is said.
pub(crate) fn default_crate() -> Path {
    parse_quote!(::mt_pool)
}

#[cfg(test)]
mod tests {
    use quote::ToTokens;

    use super::*;

    fn check_main(arguments: TokenStream, expected: &str) {
        let parsed = MainOptions::parse(&default_crate(), arguments, true);
        let told = parsed.map_or_else(
            |error| error.to_string(),
            |options| options.builder.to_string().replace(' ', ""),
        );
        assert_eq!(told, expected);
    }

    #[test]
    fn the_runtime_has_many_threads_unless_told_otherwise() {
        check_main(quote!(), "new_multi_thread()");
        let three = "new_multi_thread().worker_threads(3)";
        check_main(quote!(worker_threads = 3), three);
        let one = "new_current_thread()";
        check_main(quote!(flavor = "current_thread"), one);
    }

    #[test]
    fn a_runtime_that_can_not_be_is_refused() {
        let none = "a runtime has at least one thread";
        check_main(quote!(worker_threads = 0), none);
        let two = "the `current_thread` runtime has one thread: leave `worker_threads` out";
        check_main(quote!(flavor = "current_thread", worker_threads = 2), two);
        let unknown = "unknown flavor: there are \"multi_thread\" and \"current_thread\"";
        check_main(quote!(flavor = "threaded"), unknown);
    }

    /// Case M9: The macros can be told where the crate is.
    #[test]
    fn the_crate_can_be_elsewhere() {
        let krate = task_crate(quote!(crate = a::b)).expect("valid");
        assert_eq!(krate.to_token_stream().to_string(), "a :: b");
        assert!(task_crate(quote!(name = "x")).is_err());
    }
}
