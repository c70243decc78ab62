//! What the builders of works in worker processes have in common.

use mt_proto::guarded;

use crate::{AsynPmap, StartError, Task, limits::is_fraction, load::used_memory_above};

/// The use of memory from which on only one worker is started, unless the caller sets another.
pub(super) const MEMORY_MARK: f64 = 0.9;

/// The options that a builder hands on to its field `run`, the [`AsynPmap`] that does the works.
macro_rules! run_options {
    () => {
        crate::setters::setters! {
            /// The worker processes: the most, 1 to 4096, or by a range the fewest too. Default: as many as there are
            /// processors for this process. They are started as works come, and replaced when they die.
            pub fn processes(self, processes: impl Into<crate::limits::Processes>) =>
                self.run = self.run.processes(processes);

            /// The value all works share: sent once to every worker. Required when the task has a `#[shared]`
            /// argument.
            #[doc(alias = "func_args")]
            #[doc(alias = "func_kwargs")]
            pub fn shared(self, value: T::Shared) => self.run = self.run.shared(value);

            /// Any other option: of the [`AsynPmap`] that does the works, to be changed and given back, as in
            /// `.configure(|run| run.crash_limit(1))`. What is set here counts, whatever is set there: the order, the
            /// capacity and the input.
            pub fn configure(self, change: impl FnOnce(AsynPmap<T>) -> AsynPmap<T>) =>
                self.run = change(self.run);
        }
    };
}

pub(super) use run_options;

/// The run, and the workers it may have: at least one, however short memory is, and no more if more of it than this
/// fraction is used.
pub(super) fn fit_to_memory<T: Task>(
    run: AsynPmap<T>,
    mark: f64,
) -> Result<(AsynPmap<T>, usize), StartError> {
    is_fraction("memory_mark", mark)?;
    run.options.check()?;
    let most = run.options.processes.max();
    if most > 1 && used_memory_above(mark) {
        let _ = guarded(|| {
            tracing::warn!(mark, "memory is short: one worker in place of {most}");
        });
        return Ok((run.processes(1), 1));
    }
    Ok((run, most))
}
