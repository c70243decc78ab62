//! Worker bees that have worker bees themselves: whether the block and its attribute agree on that.

use super::{Caste, block::Block, options::BeeOptions};
use crate::errors::Errors;

/// Refuses tasks that take a hive where there is none, and a `hive` that does not describe one.
pub(super) fn check(caste: Caste, options: &BeeOptions, block: &Block) -> syn::Result<()> {
    let mut errors = Errors::default();
    if caste == Caste::Worker && options.worker.is_none() {
        for task in block.tasks.iter().filter(|task| task.signature.has_lead(1)) {
            errors.push(
                &task.ident,
                "this bee has no worker bees of its own: say who they are, `#[worker(worker = Type)]`",
            );
        }
    }
    if caste == Caste::Worker
        && options.worker.is_some()
        && let Some(hive) = block.hive.as_ref().filter(|hive| !hive.is_plain)
    {
        errors.push(
            &hive.ident,
            "`hive` only describes the bee's own hive, `fn hive(&self) -> BeehiveRun<Type>`: what has to be \
             waited for belongs into `new`",
        );
    }
    errors.finish()
}
