//! An answer, and its body.

use std::{
    fmt,
    pin::Pin,
    task::{Context, Poll},
};

use bytes::{Bytes, BytesMut};
use futures::{Stream, StreamExt, stream};

use super::{
    error::HttpError,
    transfer::{BodyTransfer, Step},
};

/// The most memory that is taken for a body because the server says how long it will be.
const TRUSTED_BYTES: u64 = 1 << 20;

/// An answer whose body has not been read. Counts as a request at its host until it is dropped, or its body has come.
#[derive(Debug)]
pub struct HttpResponse {
    transfer: BodyTransfer,
    has_limit: bool,
}

impl HttpResponse {
    pub(super) fn new(transfer: BodyTransfer, has_limit: bool) -> Self {
        Self {
            transfer,
            has_limit,
        }
    }

    /// The status: a success, unless the request takes any.
    #[must_use]
    pub fn status(&self) -> u16 {
        self.transfer.status().as_u16()
    }

    /// A header's value, of the first of that name, if it is text.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.transfer.headers().get(name)?.to_str().ok()
    }

    /// How many bytes the body is said to have, as they are sent.
    #[must_use]
    pub fn content_length(&self) -> Option<u64> {
        self.transfer.total_bytes()
    }

    /// All of the body, decompressed, if it is within its limit. What breaks off is tried again, or resumed.
    ///
    /// # Errors
    /// [`HttpError`].
    pub async fn bytes(mut self) -> Result<Bytes, HttpError> {
        let options = self.transfer.options();
        options.may_restart = true;
        options.is_long = false;
        self.transfer.check_announced()?;
        let capacity = self
            .transfer
            .total_bytes()
            .unwrap_or_default()
            .min(TRUSTED_BYTES);
        let mut all = BytesMut::with_capacity(capacity as usize);
        loop {
            match self.transfer.next().await? {
                Step::Piece(piece) => all.extend_from_slice(&piece),
                Step::Restarted => all.clear(),
                Step::End => return Ok(all.freeze()),
            }
        }
    }

    /// The body, piece by piece, decompressed.
    #[must_use]
    pub fn stream(mut self) -> BodyStream {
        if !self.has_limit {
            self.transfer.options().limit_bytes = u64::MAX;
        }
        let pieces = stream::try_unfold(self.transfer, |mut transfer| async move {
            Ok(match transfer.next().await? {
                Step::Piece(piece) => Some((piece, transfer)),
                Step::End => None,
                Step::Restarted => unreachable!("a body that may not restart does not"),
            })
        });
        BodyStream(pieces.boxed())
    }
}

/// A body, piece by piece. Takes memory for one piece, 1 MiB at most; ends after an error. Counts as a request at its host
/// until it is dropped or has ended.
pub struct BodyStream(Pin<Box<dyn Stream<Item = Result<Bytes, HttpError>> + Send>>);

impl Stream for BodyStream {
    type Item = Result<Bytes, HttpError>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.0.as_mut().poll_next(cx)
    }
}

impl fmt::Debug for BodyStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("BodyStream")
    }
}
