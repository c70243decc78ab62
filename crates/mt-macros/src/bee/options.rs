//! The arguments of `#[worker]` and `#[queen]`.

use proc_macro2::TokenStream;
use syn::{Ident, Path, Type, Visibility, parse::Parser, parse_quote};

use super::caste::Caste;
use crate::options::crate_path;

/// What `#[worker(…)]` or `#[queen(…)]` was given.
pub(super) struct BeeOptions {
    /// The path of `mt_beehive`.
    pub(super) krate: Path,
    /// The visibility and the name of the trait with the tasks.
    pub(super) tasks: Option<(Visibility, Ident)>,
    /// The type of a queen's worker bees, or of a worker bee's own.
    pub(super) worker: Option<Type>,
}

impl BeeOptions {
    pub(super) fn parse(caste: Caste, arguments: TokenStream) -> syn::Result<Self> {
        let mut krate = None;
        let mut tasks = None;
        let mut worker = None;
        let parser = syn::meta::parser(|meta| {
            if crate_path(&meta, &mut krate)? {
                Ok(())
            } else if meta.path.is_ident("tasks") {
                let value = meta.value()?;
                tasks = Some((value.parse()?, value.parse()?));
                Ok(())
            } else if meta.path.is_ident("worker") {
                worker = Some(meta.value()?.parse()?);
                Ok(())
            } else {
                let known = "there are `worker = Type`, `tasks = Name` and `crate = path`";
                Err(meta.error(format!("unknown argument: {known}")))
            }
        });
        parser.parse2(arguments)?;
        if caste == Caste::Queen && worker.is_none() {
            return Err(syn::Error::new(
                proc_macro2::Span::call_site(),
                "say which worker bees the queen delegates to: `#[queen(worker = Type)]`",
            ));
        }
        Ok(Self {
            krate: krate.unwrap_or_else(|| parse_quote!(::mt_beehive)),
            tasks,
            worker,
        })
    }
}
