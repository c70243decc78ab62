//! `#[worker]` and `#[queen]`: the `impl` block as it was, and beside it what makes its type a bee.
//!
//! [`block`] reads the block, [`method`] its methods; [`mod@expand`] writes what makes the type a bee, and
//! [`tasks`] the trait by which its tasks are asked for.

mod block;
mod caste;
mod expand;
mod method;
mod options;
mod tasks;

#[cfg(test)]
mod tests;

use proc_macro2::TokenStream;
use syn::ItemImpl;

pub(crate) use self::caste::Caste;
use self::{block::Block, expand::Bee, options::BeeOptions};
use crate::errors::{Errors, beside};

pub(crate) fn expand(caste: Caste, arguments: TokenStream, item: TokenStream) -> TokenStream {
    let mut item: ItemImpl = match syn::parse2(item.clone()) {
        Ok(item) => item,
        Err(error) => {
            let attribute = caste.attribute();
            let message = format!("`{attribute}` goes on an `impl Type {{ … }}` block ({error})");
            return beside(&item, &syn::Error::new(error.span(), message));
        }
    };
    let block = Block::take(caste, &mut item);
    let read = BeeOptions::parse(caste, arguments).and_then(|options| {
        let block = block?;
        if caste == Caste::Worker {
            check_own_hive(&options, &block)?;
        }
        Ok((options, block))
    });
    match read {
        Ok((options, block)) => Bee {
            caste,
            krate: &options.krate,
            options: &options,
            block: &block,
        }
        .expand(&item),
        Err(error) => beside(&item, &error),
    }
}

/// Refuses tasks that take a hive where there is none, and a `hive` that does not describe one.
fn check_own_hive(options: &BeeOptions, block: &Block) -> syn::Result<()> {
    let mut errors = Errors::default();
    if options.worker.is_some() {
        let hive = block.hive.as_ref();
        let other = hive.filter(|hive| hive.inputs.len() != 1 || hive.asyncness.is_some());
        errors.refuse(
            other.map(|hive| &hive.ident),
            "`hive` only describes the bee's own hive, `fn hive(&self) -> BeehiveRun<Type>`: what has to be \
             waited for belongs into `new`",
        );
        return errors.finish();
    }
    let taking = |task: &&block::BeeTask| task.signature.params.takes("hive");
    for task in block.tasks.iter().filter(taking) {
        errors.push(
            &task.ident,
            "this bee has no worker bees of its own: say who they are, `#[worker(worker = Type)]`",
        );
    }
    errors.finish()
}
