//! The first words: a worker says which build it is, the parent takes it or not.

use mt_proto::{
    Fingerprint, FromWorker, Hello, PROTOCOL_VERSION, Parsed, Refused, ToWorker, Welcome,
};

use crate::{FrameReceiver, FrameSender, HandshakeError};

/// The worker's side: says hello and waits for the answer.
///
/// # Errors
/// [`HandshakeError`]; the process should exit then.
pub async fn greet(
    sender: &FrameSender,
    receiver: &mut FrameReceiver,
    ours: Fingerprint,
) -> Result<Welcome, HandshakeError> {
    let hello = Hello {
        version: PROTOCOL_VERSION,
        fingerprint: ours,
        pid: std::process::id(),
    };
    sender.try_send(FromWorker::Hello(hello).into_frame())?;
    let frame = receiver.recv().await?.ok_or(HandshakeError::HungUp)?;
    match ToWorker::from_frame(frame).map_err(crate::RecvError::from)? {
        Parsed::Message(ToWorker::Welcome(welcome)) => Ok(welcome),
        Parsed::Message(ToWorker::Refused(theirs)) => {
            Err(other_build(ours, theirs.version, theirs.fingerprint))
        }
        Parsed::Message(_) | Parsed::Role(_) => Err(HandshakeError::OutOfTurn),
    }
}

/// The parent's side: judges a worker's first message and answers it.
///
/// # Errors
/// [`HandshakeError`]; the worker was told so where that is possible, and should be killed.
pub fn accept(
    sender: &FrameSender,
    first: Parsed<FromWorker>,
    ours: Fingerprint,
    welcome: Welcome,
) -> Result<Hello, HandshakeError> {
    let Parsed::Message(FromWorker::Hello(hello)) = first else {
        return Err(HandshakeError::OutOfTurn);
    };
    if hello.version == PROTOCOL_VERSION && hello.fingerprint == ours {
        sender.try_send(ToWorker::Welcome(welcome).into_frame())?;
        return Ok(hello);
    }
    let refused = Refused {
        version: PROTOCOL_VERSION,
        fingerprint: ours,
    };
    sender.try_send(ToWorker::Refused(refused).into_frame())?;
    Err(other_build(ours, hello.version, hello.fingerprint))
}

fn other_build(ours: Fingerprint, theirs_version: u16, theirs: Fingerprint) -> HandshakeError {
    HandshakeError::OtherBuild {
        ours_version: PROTOCOL_VERSION,
        ours,
        theirs_version,
        theirs,
    }
}
