//! What travels through a pipe: records of bytes, with the numbers of the handles that come with them, and an end, which a
//! pipe has in one direction only by saying so.

use bytes::{Buf, BufMut, BytesMut};

/// The most bytes of one record.
pub(super) const RECORD_BYTES: usize = 64 * 1024;
/// The most handles of one record.
pub(super) const RECORD_HANDLES: usize = 256;

/// How many bytes follow, how many handles come before them, and whether this is the end.
const HEAD_BYTES: usize = 4 + 2 + 2;
const END: u16 = 1;
/// Not bytes, but the id of the process that has the other end now, in the place of a handle.
const PROCESS: u16 = 2;

/// The head of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Head {
    pub(super) bytes: usize,
    pub(super) handles: usize,
    pub(super) is_end: bool,
    pub(super) is_process: bool,
}

/// Nothing is sent any more. Also what only shows that all before it was taken.
pub(super) fn write_mark(is_end: bool, out: &mut BytesMut) {
    write_head(0, &[], is_end, out);
}

/// Which process has this end now.
pub(super) fn write_process(pid: u32, out: &mut BytesMut) {
    out.put_u32_le(0);
    out.put_u16_le(1);
    out.put_u16_le(PROCESS);
    out.put_u64_le(pid.into());
}

/// Begins a record; so many bytes are to follow, as many as a record may have.
pub(super) fn write_head(bytes: usize, handles: &[u64], is_end: bool, out: &mut BytesMut) {
    debug_assert!(bytes <= RECORD_BYTES && handles.len() <= RECORD_HANDLES);
    out.put_u32_le(bytes as u32);
    out.put_u16_le(handles.len() as u16);
    out.put_u16_le(u16::from(is_end) * END);
    for &handle in handles {
        out.put_u64_le(handle);
    }
}

/// The next record has come as far as its bytes begin, if that is so: taken off, with its handles.
///
/// # Errors
/// What came is no record.
pub(super) fn next(received: &mut BytesMut) -> Result<Option<(Head, Vec<u64>)>, NoRecord> {
    let Some(mut head) = received.get(..HEAD_BYTES) else {
        return Ok(None);
    };
    let (bytes, handles, flags) = (head.get_u32_le(), head.get_u16_le(), head.get_u16_le());
    let head = Head {
        bytes: bytes as usize,
        handles: handles.into(),
        is_end: flags == END,
        is_process: flags == PROCESS,
    };
    let is_wrong = head.is_process && (head.bytes, head.handles) != (0, 1) || flags > PROCESS;
    if head.bytes > RECORD_BYTES || head.handles > RECORD_HANDLES || is_wrong {
        return Err(NoRecord);
    }
    if received.len() < HEAD_BYTES + 8 * head.handles {
        return Ok(None);
    }
    received.advance(HEAD_BYTES);
    let handles = (0..head.handles).map(|_| received.get_u64_le()).collect();
    Ok(Some((head, handles)))
}

/// What came is no record.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct NoRecord;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_come_whole_or_not_at_all() {
        let mut all = BytesMut::new();
        write_head(3, &[7, u64::MAX], false, &mut all);
        all.put_slice(b"abc");
        write_mark(true, &mut all);
        let head = |bytes, handles, is_end| Head {
            bytes,
            handles,
            is_end,
            is_process: false,
        };
        for cut in 0..HEAD_BYTES + 16 {
            assert_eq!(next(&mut BytesMut::from(&all[..cut])), Ok(None));
        }
        let first = next(&mut all).unwrap().unwrap();
        assert_eq!(first, (head(3, 2, false), vec![7, u64::MAX]));
        assert_eq!(&all.split_to(3)[..], b"abc");
        assert_eq!(next(&mut all), Ok(Some((head(0, 0, true), vec![]))));
        assert_eq!(next(&mut all), Ok(None));
        write_process(17, &mut all);
        let (told, numbers) = next(&mut all).unwrap().unwrap();
        assert!(told.is_process && numbers == [17]);
        let mut broken = BytesMut::new();
        broken.put_u32_le(u32::MAX);
        broken.put_u32_le(0);
        assert_eq!(next(&mut broken), Err(NoRecord));
    }
}
