//! Showing text that came from a worker.

use std::fmt;

/// Shows a text without what a terminal would take for commands. A panic message is written by
/// whatever ran in the worker, which may well be hostile.
pub(crate) struct Plain<'a>(pub(crate) &'a str);

impl fmt::Display for Plain<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        use fmt::Write;
        for c in self.0.chars() {
            match c {
                '\n' | '\t' => f.write_char(c)?,
                c if c.is_control() => write!(f, "{}", c.escape_unicode())?,
                c => f.write_char(c)?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_are_shown_and_not_obeyed() {
        let shown = Plain("a\u{1b}[2Jb\n\tc\u{9b}d").to_string();
        assert_eq!(shown, "a\\u{1b}[2Jb\n\tc\\u{9b}d");
    }
}
