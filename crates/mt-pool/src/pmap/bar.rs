//! A run with a progress bar of `indicatif`.

use indicatif::ProgressBar;

use super::output::Pmap;
use crate::{Task, stats::RunProgress};

impl<T: Task, I> Pmap<T, I> {
    /// Moves a progress bar as outcomes are taken: its position, and its length as soon as the
    /// [total](RunProgress::total) is known. At the end of the run it is finished in
    /// [its own way](ProgressBar::with_finish). Its style, message and steady tick are yours. With the
    /// feature `indicatif`.
    ///
    /// What workers write to standard error goes to the same terminal, between the bar's redraws:
    /// [`stderr`](crate::limits::WorkerOptions::stderr) can keep it away.
    ///
    /// ```
    /// # // Case R40: With the feature `indicatif` a progress bar is moved, gets its length, and is finished with the
    /// # // run.
    /// # use mt_pool::asyn_pmap;
    /// use indicatif::ProgressBar;
    ///
    /// #[mt_pool::task]
    /// fn double(n: u64) -> u64 {
    ///     2 * n
    /// }
    ///
    /// #[mt_pool::main]
    /// fn main() -> anyhow::Result<()> {
    ///     let bar = ProgressBar::no_length();
    ///     let run = asyn_pmap::<double>(0..1000).start()?.with_progress_bar(bar.clone());
    ///     assert_eq!(run.into_iter().filter(Result::is_ok).count(), 1000);
    ///     assert_eq!((bar.position(), bar.length()), (1000, Some(1000)));
    ///     assert!(bar.is_finished());
    ///     Ok(())
    /// }
    /// ```
    pub fn with_progress_bar(self, bar: ProgressBar) -> Self {
        let bar = Bar(bar);
        self.on_progress(move |progress| bar.show(progress))
    }
}

struct Bar(ProgressBar);

impl Bar {
    fn show(&self, progress: &RunProgress) {
        if let Some(total) = progress.total
            && self.0.length() != Some(total)
        {
            self.0.set_length(total);
        }
        self.0.set_position(progress.done);
        if progress.is_over {
            self.0.finish_using_style();
        }
    }
}
