//! What is in front of a call's input: the task that it is a call of.

use mt_proto::PreparedId;

/// The bytes of a task's number.
const NUMBER_BYTES: usize = size_of::<u32>();
/// Stands for the number of a task where the name of a prepared one follows. No program has so many tasks.
const PREPARED: u32 = u32::MAX;

/// What a call is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum CallHead {
    /// The task of this number, with no shared value and the default config.
    Task(u32),
    /// A task with what its calls share.
    Prepared(PreparedId),
}

impl CallHead {
    /// The most bytes of one.
    pub(crate) const MAX_BYTES: usize = NUMBER_BYTES + size_of::<u64>();

    pub(crate) fn write(self, record: &mut Vec<u8>) {
        match self {
            Self::Task(number) => record.extend_from_slice(&number.to_le_bytes()),
            Self::Prepared(id) => {
                record.extend_from_slice(&PREPARED.to_le_bytes());
                record.extend_from_slice(&id.0.to_le_bytes());
            }
        }
    }

    /// The head of a call, and the input behind it; `None` where there is no whole one.
    #[inline]
    pub(crate) fn read(call: &[u8]) -> Option<(Self, &[u8])> {
        let (number, rest) = call.split_first_chunk::<NUMBER_BYTES>()?;
        match u32::from_le_bytes(*number) {
            PREPARED => {
                let (id, input) = rest.split_first_chunk()?;
                Some((Self::Prepared(PreparedId(u64::from_le_bytes(*id))), input))
            }
            number => Some((Self::Task(number), rest)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_read_was_written() {
        for head in [
            CallHead::Task(0),
            CallHead::Task(PREPARED - 1),
            CallHead::Prepared(PreparedId(0)),
            CallHead::Prepared(PreparedId(u64::MAX)),
        ] {
            let mut call = Vec::new();
            head.write(&mut call);
            assert!(call.len() <= CallHead::MAX_BYTES);
            let whole = call.len();
            call.extend_from_slice(b"input");
            assert_eq!(CallHead::read(&call), Some((head, &b"input"[..])));
            assert_eq!(CallHead::read(&call[..whole - 1]), None);
        }
    }
}
