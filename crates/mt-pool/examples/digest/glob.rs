//! Matching paths against a pattern.

use serde::{Deserialize, Serialize};

use crate::byte_path::BytePath;

/// A pattern of bytes: `*` stands for any of them, `?` for any one, all else for itself.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Glob(BytePath);

impl Glob {
    pub(crate) fn new(pattern: BytePath) -> Self {
        Self(pattern)
    }

    pub(crate) fn matches(&self, path: &BytePath) -> bool {
        matches(self.0.as_bytes(), path.as_bytes())
    }
}

/// Lets the last `*` take one byte more whenever the rest does not fit: no more than
/// `pattern × text` steps, whatever the pattern.
fn matches(pattern: &[u8], text: &[u8]) -> bool {
    let (mut p, mut t) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while t < text.len() {
        match pattern.get(p) {
            Some(b'*') => {
                star = Some((p, t));
                p += 1;
            }
            Some(&byte) if byte == b'?' || byte == text[t] => {
                p += 1;
                t += 1;
            }
            _ => match &mut star {
                Some((at, taken)) => {
                    *taken += 1;
                    (p, t) = (*at + 1, *taken);
                }
                None => return false,
            },
        }
    }
    pattern[p..].iter().all(|&byte| byte == b'*')
}
