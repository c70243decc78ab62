//! The kind of a file by its content.

/// Finds out the kind, piece by piece.
#[derive(Debug, Default)]
pub(crate) struct Kind {
    /// What the first bytes tell.
    mime: Option<&'static str>,
    is_binary: bool,
    any: bool,
    /// The start of a character whose rest is in the next piece: the first `tail_bytes`.
    tail: [u8; 4],
    tail_bytes: usize,
}

impl Kind {
    /// Adds a piece. The first should be some KiB, or the whole file: only there are signatures
    /// looked for.
    pub(crate) fn add(&mut self, piece: &[u8]) {
        if !self.any {
            self.mime = infer::get(piece).map(|found| found.mime_type());
            self.any = !piece.is_empty();
        }
        if self.mime.is_none() && !self.is_binary {
            self.is_binary = piece.contains(&0) || !self.is_utf8(piece);
        }
    }

    /// A MIME type, or `text` for UTF-8 without NUL, `binary`, `empty`.
    pub(crate) fn name(&self) -> &'static str {
        match self.mime {
            Some(mime) => mime,
            None if !self.any => "empty",
            // A tail at the end is half a character.
            None if self.is_binary || self.tail_bytes > 0 => "binary",
            None => "text",
        }
    }

    /// Whether it goes on as UTF-8, up to a character that is not complete yet.
    fn is_utf8(&mut self, mut piece: &[u8]) -> bool {
        while self.tail_bytes > 0 {
            let Some((&next, rest)) = piece.split_first() else {
                return true;
            };
            piece = rest;
            self.tail[self.tail_bytes] = next;
            self.tail_bytes += 1;
            match str::from_utf8(&self.tail[..self.tail_bytes]) {
                Ok(_) => self.tail_bytes = 0,
                // Never four bytes: those are a character or none.
                Err(error) if error.error_len().is_none() => {}
                Err(_) => return false,
            }
        }
        match str::from_utf8(piece) {
            Ok(_) => true,
            Err(error) if error.error_len().is_none() => {
                let start = &piece[error.valid_up_to()..];
                self.tail[..start.len()].copy_from_slice(start);
                self.tail_bytes = start.len();
                true
            }
            Err(_) => false,
        }
    }
}
