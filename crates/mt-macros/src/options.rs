//! The arguments of the macros: `crate = path`, and for `#[main]` the runtime.

use proc_macro2::TokenStream;
use syn::{
    LitInt, LitStr, Path, meta::ParseNestedMeta, parse::Parser, parse_quote, spanned::Spanned,
};

/// What `#[task(…)]` was given.
pub(crate) struct TaskOptions {
    /// The path of `mt_pool`.
    pub(crate) krate: Path,
}

impl TaskOptions {
    pub(crate) fn parse(arguments: TokenStream) -> syn::Result<Self> {
        let mut krate = None;
        let parser = syn::meta::parser(|meta| {
            crate_path(&meta, &mut krate)?.then_some(()).ok_or_else(|| {
                meta.error("unknown argument: the only one is `crate = path::to::mt_pool`")
            })
        });
        parser.parse2(arguments)?;
        Ok(Self {
            krate: krate.unwrap_or_else(default_crate),
        })
    }
}

/// The threads of the runtime an `async fn main` gets.
#[derive(Debug, PartialEq)]
pub(crate) enum Flavor {
    MultiThread { worker_threads: Option<usize> },
    CurrentThread,
}

/// What `#[main(…)]` was given.
pub(crate) struct MainOptions {
    pub(crate) krate: Path,
    pub(crate) flavor: Flavor,
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
            let known = meta.path.is_ident("flavor") || meta.path.is_ident("worker_threads");
            if !known {
                return Err(meta
                    .error("unknown argument: there are `flavor`, `worker_threads` and `crate`"));
            }
            if !is_async {
                return Err(meta.error("only an `async fn` has a runtime to configure"));
            }
            if meta.path.is_ident("flavor") {
                flavor = Some(meta.value()?.parse()?);
            } else {
                threads = Some(meta.value()?.parse()?);
            }
            Ok(())
        });
        parser.parse2(arguments)?;
        Ok(Self {
            krate: krate.unwrap_or_else(|| default.clone()),
            flavor: Flavor::from_arguments(flavor.as_ref(), threads.as_ref())?,
        })
    }
}

impl Flavor {
    fn from_arguments(flavor: Option<&LitStr>, threads: Option<&LitInt>) -> syn::Result<Self> {
        let worker_threads = threads.map(positive).transpose()?;
        match (flavor.map(|name| (name.value(), name.span())), threads) {
            (None, _) => Ok(Self::MultiThread { worker_threads }),
            (Some((name, _)), _) if name == "multi_thread" => {
                Ok(Self::MultiThread { worker_threads })
            }
            (Some((name, _)), None) if name == "current_thread" => Ok(Self::CurrentThread),
            (Some((name, _)), Some(threads)) if name == "current_thread" => Err(syn::Error::new(
                threads.span(),
                "the `current_thread` runtime has one thread: leave `worker_threads` out",
            )),
            (Some((_, span)), _) => Err(syn::Error::new(
                span,
                "unknown flavor: there are \"multi_thread\" and \"current_thread\"",
            )),
        }
    }
}

fn positive(threads: &LitInt) -> syn::Result<usize> {
    match threads.base10_parse::<usize>()? {
        0 => Err(syn::Error::new(
            threads.span(),
            "a runtime has at least one thread",
        )),
        count => Ok(count),
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
    use quote::{ToTokens, quote};

    use super::*;

    fn check_main(arguments: TokenStream, expected: Result<Flavor, &str>) {
        let parsed =
            MainOptions::parse(&default_crate(), arguments, true).map(|options| options.flavor);
        assert_eq!(
            parsed.map_err(|error| error.to_string()),
            expected.map_err(str::to_owned)
        );
    }

    #[test]
    fn the_runtime_has_many_threads_unless_told_otherwise() {
        check_main(
            quote!(),
            Ok(Flavor::MultiThread {
                worker_threads: None,
            }),
        );
        check_main(
            quote!(worker_threads = 3),
            Ok(Flavor::MultiThread {
                worker_threads: Some(3),
            }),
        );
        check_main(quote!(flavor = "current_thread"), Ok(Flavor::CurrentThread));
    }

    #[test]
    fn a_runtime_that_can_not_be_is_refused() {
        check_main(
            quote!(worker_threads = 0),
            Err("a runtime has at least one thread"),
        );
        check_main(
            quote!(flavor = "current_thread", worker_threads = 2),
            Err("the `current_thread` runtime has one thread: leave `worker_threads` out"),
        );
        check_main(
            quote!(flavor = "threaded"),
            Err("unknown flavor: there are \"multi_thread\" and \"current_thread\""),
        );
    }

    #[test]
    fn the_crate_can_be_elsewhere() {
        let options = TaskOptions::parse(quote!(crate = a::b)).expect("valid");
        assert_eq!(options.krate.to_token_stream().to_string(), "a :: b");
        assert!(TaskOptions::parse(quote!(name = "x")).is_err());
    }
}
