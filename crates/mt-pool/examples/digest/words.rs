//! Counting lines and words, piece by piece.

/// Lines and words of what was added so far, as `wc` counts them in plain text: a line is a line
/// feed, a word is what stands between ASCII white space. (Some versions of `wc` count a word only if
/// it has a character that their locale can print.)
#[derive(Debug, Default)]
pub(crate) struct Words {
    pub(crate) lines: u64,
    pub(crate) words: u64,
    in_word: bool,
}

impl Words {
    pub(crate) fn add(&mut self, piece: &[u8]) {
        for &byte in piece {
            // Tab, line feed, vertical tab, form feed and carriage return are 9 to 13.
            let is_space = byte == b' ' || (9..=13).contains(&byte);
            self.lines += u64::from(byte == b'\n');
            self.words += u64::from(!is_space && !self.in_word);
            self.in_word = !is_space;
        }
    }
}
