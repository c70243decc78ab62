//! A body that comes compressed, piece by piece.
//!
//! Pure: no IO, no clock, no runtime.

use std::io::{self, Write};

use bytes::Bytes;
use flate2::write::MultiGzDecoder;

/// How much is decompressed at a time: it becomes at most 1032 times as much, which is about 1 MiB.
const SLICE_BYTES: usize = 1024;
/// From this on a piece is given out.
const PIECE_BYTES: usize = 64 * 1024;

/// Decompresses gzip, of one member or several. Keeps one piece of what comes, and of what it becomes about 1 MiB at most,
/// whatever it is.
#[derive(Debug)]
pub(super) struct Gunzip {
    decoder: MultiGzDecoder<Vec<u8>>,
    left: Bytes,
}

impl Gunzip {
    pub(super) fn new() -> Self {
        Self {
            decoder: MultiGzDecoder::new(Vec::new()),
            left: Bytes::new(),
        }
    }

    /// A piece comes. What was there before has been taken out.
    pub(super) fn push(&mut self, piece: Bytes) {
        debug_assert!(
            self.left.is_empty(),
            "pieces are taken out before others come"
        );
        self.left = piece;
    }

    /// The next piece of what it is; `None` when another has to come first.
    ///
    /// # Errors
    /// What is wrong with it. Nothing comes after that.
    pub(super) fn pop(&mut self) -> io::Result<Option<Bytes>> {
        while !self.left.is_empty() && self.decoder.get_ref().len() < PIECE_BYTES {
            let slice = &self.left[..self.left.len().min(SLICE_BYTES)];
            let taken = self.decoder.write(slice)?;
            if taken == 0 {
                return Err(io::Error::from(io::ErrorKind::WriteZero));
            }
            let _taken = self.left.split_to(taken);
        }
        Ok(self.take())
    }

    /// Nothing more comes: the last piece, if there is one.
    ///
    /// # Errors
    /// What came was not all.
    pub(super) fn end(&mut self) -> io::Result<Option<Bytes>> {
        self.decoder.try_finish()?;
        Ok(self.take())
    }

    fn take(&mut self) -> Option<Bytes> {
        let piece = std::mem::take(self.decoder.get_mut());
        (!piece.is_empty()).then(|| piece.into())
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use bytes::Bytes;
    use flate2::{Compression, write::GzEncoder};
    use proptest::{
        collection::vec,
        prelude::{any, prop_assert_eq, proptest},
        test_runner::Config,
    };

    use super::{Gunzip, PIECE_BYTES};

    fn gzip(plain: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(plain).unwrap();
        encoder.finish().unwrap()
    }

    /// All that comes out, and how long the longest piece was.
    fn gunzip(pieces: &[&[u8]]) -> std::io::Result<(Vec<u8>, usize)> {
        let (mut gunzip, mut all, mut longest) = (Gunzip::new(), Vec::new(), 0);
        for piece in pieces {
            gunzip.push(Bytes::copy_from_slice(piece));
            while let Some(piece) = gunzip.pop()? {
                longest = longest.max(piece.len());
                all.extend_from_slice(&piece);
            }
        }
        all.extend(gunzip.end()?.into_iter().flatten());
        Ok((all, longest))
    }

    proptest! {
        #![proptest_config(Config { failure_persistence: None, ..Config::default() })]

        #[test]
        fn what_was_compressed_comes_out_however_it_is_cut(plain in vec(any::<u8>(), 0..3000), cut in 1..500_usize) {
            let compressed = [gzip(&plain), gzip(&plain)].concat();
            let pieces: Vec<_> = compressed.chunks(cut).collect();
            prop_assert_eq!(gunzip(&pieces).unwrap().0, [&*plain, &*plain].concat());
        }

        #[test]
        fn what_is_cut_short_or_not_gzip_is_an_error(plain in vec(any::<u8>(), 0..300), other in vec(any::<u8>(), 1..100)) {
            let compressed = gzip(&plain);
            for end in 0..compressed.len() {
                if let Ok((all, _)) = gunzip(&[&compressed[..end]]) {
                    panic!("{end} of {} gave {}", compressed.len(), all.len());
                }
            }
            let _ = gunzip(&[&other]);
        }
    }

    /// Case C18: What grows a thousandfold comes out in pieces of about 1 MiB at most.
    #[test]
    fn a_bomb_comes_out_in_pieces() {
        let plain = vec![0; 100 << 20];
        let compressed = gzip(&plain);
        let (all, longest) = gunzip(&[&compressed]).unwrap();
        assert_eq!(all.len(), plain.len());
        assert!(longest <= PIECE_BYTES + (2 << 20), "{longest}");
    }
}
