//! What can be wrong with bytes, and with values that are to become bytes.

/// Received bytes that are not a message. The connection they came from can't be trusted any more:
/// nothing of the offending frame was applied, and the sender should be replaced.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DecodeError {
    /// The kind byte names no message of this protocol version.
    #[error("frame has the unknown kind {0:#04x}")]
    UnknownKind(u8),
    /// The kind is known, but not one that this side receives.
    #[error("frame of kind {0:?} does not travel in this direction")]
    WrongDirection(crate::Kind),
    /// A frame, or a body joined from its chunks, claims more bytes than the limit.
    #[error("body of {claimed} bytes is over the limit of {limit}")]
    TooLarge {
        /// The bytes claimed or reached.
        claimed: u64,
        /// The limit they are over.
        limit: u64,
    },
    /// A control frame came in chunks, a chunk was empty, or two chunked bodies were mixed.
    #[error("chunk does not belong here: {0}")]
    BadChunk(&'static str),
    /// A frame and what was attached to frames do not go together.
    #[error("attachments do not belong here: {0}")]
    Attachments(&'static str),
    /// The body ends before the value does.
    #[error("body ends early: {0}")]
    Short(&'static str),
    /// The body goes on after the value has ended.
    #[error("body has {0} bytes left over")]
    Trailing(usize),
    /// A record tag, a count or an enum in the body has no meaning.
    #[error("body makes no sense: {0}")]
    Malformed(&'static str),
    /// The body is not a value of the expected type.
    #[error("body does not decode: {0}")]
    Value(Box<str>),
    /// The value's parts were written as something else than they are read as: numbers of another width, a field
    /// more or fewer. Its type is another one than was sent, or its `Serialize` and its `Deserialize` do not agree.
    #[error(
        "the value was written as another type than it is read as, or its `Serialize` and `Deserialize` do not agree \
         (`skip_serializing`, `serialize_with`, `into`, a variant that has `skip` or `alias`); make them agree, or wrap \
         it in `mt_pool::Json`"
    )]
    OtherShape,
    /// The value is of another type than was asked for.
    #[error("the value is a `{sent}` and is asked for as a `{asked}`")]
    OtherType {
        /// The name of the type that was encoded.
        sent: Box<str>,
        /// The name of the type that it was to be decoded as.
        asked: Box<str>,
    },
    /// The `Deserialize` of the value panicked with this message.
    #[error("its `Deserialize` panicked: {0}")]
    Panicked(String),
}

/// A value that could not be encoded. Nothing was written: the buffer is as it was before the call.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EncodeError {
    /// The encoded value would be longer than the limit given.
    #[error("encoded value is over the limit of {limit} bytes")]
    TooLarge {
        /// The limit in bytes.
        limit: usize,
    },
    /// The type's `Serialize` refused, with what it says, or it needs something the format lacks: a sequence whose
    /// length is not known before it is walked, a field that is left out, more nesting than
    /// [`MAX_NESTING`](crate::MAX_NESTING).
    #[error("value does not serialise: {0}")]
    Value(Box<str>),
    /// The `Serialize` of the value panicked with this message.
    #[error("its `Serialize` panicked: {0}")]
    Panicked(String),
}
