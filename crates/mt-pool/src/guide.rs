//! For newcomers: compile errors and what they mean, tasks in libraries, tests and benches, and the calls of other
//! pools beside ours. There is no code in this module.
//!
//! # Compile errors
//!
//! | what it says | what it means | what to do |
//! |---|---|---|
//! | `constant provided when a type was expected`, or `` `X` is not a task `` | `f` is a plain function | put [`#[task]`](macro@crate::task) on it |
//! | `` `X` can't cross to a worker process `` | an argument, or what is returned, is not [`Wire`](crate::Wire) | derive `Serialize` and `Deserialize`; see there what does not cross |
//! | `` can't borrow `x` from its caller `` | an argument is a reference | take it by value, or mark it `#[shared]` (one value for all items) or `#[context]` (made in the worker) |
//! | `` `x` is not defined inside this closure `` | the closure of an [`inline_task!`](crate::inline_task) captures | take `#[shared] x: &T`, and give the value by [`shared`](crate::AsynPmap::shared) |
//! | a task can't be generic; a task is a free function | a worker finds a function by its name alone | write one task for each type, each calling the generic function or the method |
//! | `private type … in public interface` | the task is more visible than a type in its signature | `pub(crate) fn`, or no `pub` at all: a task needs none |
//! | `borrowed data escapes`, `does not live long enough` at `asyn_pmap` | the input borrows, and a run may outlive what it borrows | map it in a [`scope`](crate::scope()), or give what it owns (`into_iter()`, `cloned()`) |
//! | `` a `X` can't stand for a `Y` `` | in a scope, items that are not what the task takes | yield these, or references to them; see [`CrossesAs`](crate::input::CrossesAs) |
//! | `mismatched types` at `shared` | another type than the task's `#[shared]` argument | give the value itself, not a reference to it |
//!
//! At run time the first error is mostly [`StartError::NotInitialised`](crate::StartError::NotInitialised): nothing
//! has turned the started process into a worker, and so nothing was started.
//!
//! # In tests, benches, libraries
//! Workers are this same program, started again, so each *program* must call [`init`](crate::init()):
//!
//! * **a program** has [`#[mt_pool::main]`](macro@crate::main) on `main`, or `mt_pool::init()` as the first line of it;
//! * **a file of tests**, and a library's unit tests, have [`mt_pool::test_worker!();`](crate::test_worker) once;
//!   `cargo test` and nextest both serve;
//! * **a bench** of criterion has a `main` of its own in place of `criterion_main!`, with `mt_pool::init()` as the
//!   first line;
//! * **a library** can't do it for the program that uses it. It says so in its documentation, and hands on what is
//!   needed: `pub use mt_pool;`. Its tasks are found wherever they are linked in, and need not be `pub`.
//!
//! Where `mt_pool` is not a dependency of the crate but of one that re-exports it, the macros are told its path, as in
//! serde: `#[my_library::mt_pool::task(crate = my_library::mt_pool)]`. The same goes for `#[main(crate = …)]` and
//! `inline_task!(crate = …, |…| …)`.
//!
//! # From other pools
//!
//! | there | here |
//! |---|---|
//! | `multiprocessing.Pool(n)`, `ProcessPoolExecutor(n)` | [`Pool::builder().processes(n).start()`](crate::Pool::builder); without one each run has its own workers |
//! | `pool.imap(f, xs)`, mpire's `imap`, `executor.map(f, xs)` | [`asyn_pmap::<f>(xs).start()`](crate::asyn_pmap), lazy and in order |
//! | `pool.imap_unordered(f, xs)`, mpire's too | [`.ordered(false)`](crate::AsynPmap::ordered) |
//! | `pool.map(f, xs)`, mpire's `map`; joblib's `Parallel(n_jobs=n)(delayed(f)(x) for x in xs)`; rayon's `xs.into_par_iter().map(f).collect()` | `.start()?.into_iter().collect::<Result<Vec<_>, _>>()` |
//! | rayon's `xs.par_iter()`, `xs.par_chunks(n)` | [`scope(\|s\| s.asyn_pmap::<f>(&xs)…)`](crate::scope()), `(xs.chunks(n))`: nothing is copied but into the encoding |
//! | `pool.starmap(f, pairs)` | a task of several arguments; the items are tuples |
//! | `functools.partial(f, config)`, mpire's `shared_objects` | a `#[shared]` argument, [`.shared(config)`](crate::AsynPmap::shared); for single calls [`Pool::task`](crate::Pool::task) |
//! | `initializer=`, mpire's `worker_init`; a global of the worker | [`.init`](crate::AsynPmap::init); better a [`Context`](crate::Context), which the task takes as `#[context]` |
//! | mpire's `worker_exit`, `get_exit_results` | [`.exit`](crate::AsynPmap::exit), [`exit_values`](crate::Pmap::exit_values) |
//! | `chunksize` | not needed: items stream, and go together by themselves. ([`.batch_size`](crate::AsynPmap::batch_size) is how many share a context) |
//! | `maxtasksperchild`, mpire's `worker_lifespan` | [`.recycle(Recycle::new().after_items(n))`](crate::limits::Recycle); a task there is a chunk, here an item |
//! | joblib's `timeout`, mpire's `task_timeout`, `async_result.get(timeout)` | [`.deadlines(Deadlines::new().hard(time))`](crate::limits::Deadlines): the call is really over then |
//! | loky's `TerminatedWorkerError`, `BrokenProcessPool` | [`TaskErrorKind::Crashed`](crate::TaskErrorKind::Crashed) of that one item; the pool goes on |
//! | loky's reusable executor | [`Pool::global`](crate::Pool::global) |
//! | `pool.terminate()`, `Ctrl-C` | dropping the run, [`Pool::cancel`](crate::Pool::cancel); [`OnSignal`](crate::OnSignal) |
//! | mpire's `progress_bar=True` | `run.with_progress_bar(bar)`, feature `indicatif`; [`on_progress`](crate::Pmap::on_progress) |
//! | mpire's `enable_insights`, `get_insights` | [`stats`](crate::Pmap::stats) |
//! | `multiprocessing.Value` as a counter | [`Counter`](crate::Counter) |
//! | pickle, dill, cloudpickle | [`Wire`](crate::Wire): serde's derives. Code is not sent: both sides are the same program |
//! | `if __name__ == "__main__":` | [`#[mt_pool::main]`](macro@crate::main) |
//! | the `spawn` start method; `fork`, `forkserver` | always a fresh process, as with `spawn`; forking a process with threads is not safe |
