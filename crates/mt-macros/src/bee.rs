//! `#[worker]` and `#[queen]`: the `impl` block as it was, and beside it what makes its type a bee.
//!
//! [`block`] reads the block, [`signature`] and [`params`] its methods; [`expand`] writes what both kinds of
//! bees have, [`worker`] and [`queen`] what only one has.

mod below;
mod block;
mod expand;
mod options;
mod params;
mod queen;
mod signature;
mod worker;

#[cfg(test)]
mod tests;

use proc_macro2::TokenStream;
use syn::ItemImpl;

use self::{block::Block, options::BeeOptions};
use crate::errors::beside;

/// The two kinds of bees.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Caste {
    Worker,
    Queen,
}

impl Caste {
    /// The types of the first arguments, in this order, that a task need not have.
    fn leads(self) -> &'static [&'static str] {
        match self {
            Self::Worker => &["TaskCx", "Hive"],
            Self::Queen => &["Hive"],
        }
    }

    fn attribute(self) -> &'static str {
        match self {
            Self::Worker => "#[worker]",
            Self::Queen => "#[queen]",
        }
    }
}

pub(crate) fn expand(caste: Caste, arguments: TokenStream, item: TokenStream) -> TokenStream {
    let mut item: ItemImpl = match syn::parse2(item.clone()) {
        Ok(item) => item,
        Err(error) => return beside(&item, &not_a_block(caste, &error)),
    };
    let block = Block::take(caste, &mut item);
    let options = BeeOptions::parse(caste, arguments);
    let read = options.and_then(|options| Ok((options, block?)));
    let checked = read.and_then(|(options, block)| {
        below::check(caste, &options, &block)?;
        Ok((options, block))
    });
    match checked {
        Ok((options, block)) => expand::bee(caste, &options, &item, &block),
        Err(error) => beside(&item, &error),
    }
}

fn not_a_block(caste: Caste, error: &syn::Error) -> syn::Error {
    let attribute = caste.attribute();
    syn::Error::new(
        error.span(),
        format!("`{attribute}` goes on an `impl Type {{ … }}` block ({error})"),
    )
}
