//! The macros of `mt-pool`: [`macro@task`], [`inline_task!`] and [`macro@main`]; and those of `mt-beehive`:
//! [`macro@worker`] and [`macro@queen`].
//!
//! A worker process is the same program, started again. It finds the function to run by name, so a
//! function must be registered, and the process must become a worker before `main` does anything
//! else. These macros write both. Use them through `mt_pool` and `mt_beehive`, which re-export them: what
//! they expand to names `::mt_pool` and `::mt_beehive`.
//!
//! An expansion adds items with ordinary names only where the caller sees them (the struct of
//! `#[task]`, the trait of `#[worker]` and `#[queen]`); everything else is named by absolute path or is invisible to the caller's code.

mod attributes;
mod bee;
mod call;
mod captures;
mod errors;
mod format_args;
mod main_fn;
mod options;
mod owned;
mod params;
mod returns;
mod signature;
mod task_closure;
mod task_fn;
mod task_impl;
#[cfg(test)]
mod tests;

use proc_macro::TokenStream;
use syn::parse_quote;

/// Makes a function a task: something a worker process can run.
///
/// The function stays as it is and can still be called. Beside it comes a type of the same name,
/// as visible as the function, which names it to the pool: `asyn_pmap::<fetch>(urls)`.
///
/// # Parameters
///
/// | parameter | where it comes from |
/// |---|---|
/// | `x: T` | the item. With several the item is a tuple of them, in order; with none it is `()` |
/// | `#[shared] s: &S` | one value for all items. `&str` shares a `String`, `&[T]` a `Vec<T>` |
/// | `#[context] cx: &C` | made in the worker; `C` implements `mt_pool::Context` |
///
/// At most one is `#[shared]` and at most one is `#[context]`. What crosses must be `Serialize +
/// Deserialize + Send` and own its data.
///
/// # Return value
///
/// | returns | the task's output | the task's error |
/// |---|---|---|
/// | `Result<T, E>`, `E` can cross | `T` | `E` |
/// | `Result<T, E>`, `E` displays: `io::Error`, `anyhow::Error`, `Box<dyn Error>` | `T` | `mt_pool::task::Raised`, its text |
/// | any other `T` | `T` | `mt_pool::task::Never` |
///
/// What it is called makes no difference: `io::Result<T>` and an alias of yours are `Result`s.
///
/// # Arguments
///
/// `#[task(crate = path::to::mt_pool)]` names `mt_pool` where it isn't `::mt_pool`.
#[proc_macro_attribute]
pub fn task(arguments: TokenStream, item: TokenStream) -> TokenStream {
    task_fn::expand(arguments.into(), item.into()).into()
}

/// A task written in place: a closure that captures nothing, as a value of its task's type.
///
/// The body runs in another process, so a variable from outside is an error. Give its value as the
/// shared one: `|#[shared] factor: &u64, x: u64| -> u64 { x * factor }` and `.shared(factor)`.
///
/// `inline_task!(crate = path::to::mt_pool, |x: u32| -> u64 { … })` names `mt_pool` where it isn't
/// `::mt_pool`.
#[proc_macro]
pub fn inline_task(closure: TokenStream) -> TokenStream {
    task_closure::expand(closure.into()).into()
}

/// Lets a program's `main` serve as a worker: calls `mt_pool::init()` before anything else.
///
/// In a worker process `init` never returns. For an `async fn main` the tokio runtime is made after
/// it, so a worker has no runtime but its own.
///
/// # Arguments
///
/// For an `async fn`, as in `tokio::main`; the runtime has many threads unless told otherwise:
///
/// - `flavor = "current_thread"` or `"multi_thread"`
/// - `worker_threads = 4`, with many threads; tokio's default is one per core
///
/// For both kinds, `crate = path::to::mt_pool`.
#[proc_macro_attribute]
pub fn main(arguments: TokenStream, item: TokenStream) -> TokenStream {
    main_fn::expand(&parse_quote!(::mt_pool), arguments.into(), item.into()).into()
}

/// [`macro@main`] as `mt_beehive` re-exports it: names `::mt_beehive`.
#[proc_macro_attribute]
pub fn beehive_main(arguments: TokenStream, item: TokenStream) -> TokenStream {
    main_fn::expand(&parse_quote!(::mt_beehive), arguments.into(), item.into()).into()
}

/// Makes the type of an `impl` block a worker bee: `mt_beehive` documents it.
#[proc_macro_attribute]
pub fn worker(arguments: TokenStream, item: TokenStream) -> TokenStream {
    bee::expand(bee::Caste::Worker, arguments.into(), item.into()).into()
}

/// Makes the type of an `impl` block a queen bee: `mt_beehive` documents it.
#[proc_macro_attribute]
pub fn queen(arguments: TokenStream, item: TokenStream) -> TokenStream {
    bee::expand(bee::Caste::Queen, arguments.into(), item.into()).into()
}
