//! How a value is walked, which is the same whether it is written or read: its shape is kept, and how deep it nests.

/// The steps of a walk, for a type that has a `shape` and a `nesting`, and a module that has `nests_too_deep`.
macro_rules! walk {
    ($Error:ty) => {
        #[inline]
        pub(super) fn leaf(&mut self, part: Part) {
            if CHECKED {
                self.shape.leaf(part);
            }
        }

        /// A variant of an enum.
        #[inline]
        pub(super) fn variant(&mut self, name: &str) {
            if CHECKED {
                self.shape.variant(name);
            }
        }

        /// Elements begin.
        #[inline]
        pub(super) fn run(&self) -> Run {
            Run::after(self.shape)
        }

        /// An element begins.
        #[inline]
        pub(super) fn begin_element(&mut self) {
            if CHECKED {
                self.shape = Shape::EMPTY;
            }
        }

        /// An element ends, with so many `left`.
        #[inline]
        pub(super) fn end_element(&mut self, run: &mut Run, left: usize) {
            if CHECKED {
                run.element(self.shape, left);
            }
        }

        /// Elements have ended.
        #[inline]
        pub(super) fn end_run(&mut self, run: &Run) {
            if CHECKED {
                self.shape = run.whole();
            }
        }

        /// A container begins.
        #[inline]
        pub(super) fn open(&mut self, part: Part) -> Result<(), $Error> {
            if CHECKED {
                self.shape.bracket(part);
            }
            match self.nesting.enter() {
                Some(()) => Ok(()),
                None => Err(nests_too_deep()),
            }
        }

        /// A container ends that needs no mark of its end.
        #[inline]
        pub(super) fn leave(&mut self) {
            self.nesting.leave();
        }

        /// A container ends.
        #[inline]
        pub(super) fn close(&mut self) {
            self.nesting.leave();
            if CHECKED {
                self.shape.bracket(Part::End);
            }
        }
    };
}

pub(super) use walk;
