//! The first words: a worker says which build it is, the parent takes it or not.

use mt_proto::{Build, Fingerprint, FromWorker, PROTOCOL_VERSION, Parsed, ToWorker, Welcome};

use crate::{FrameReceiver, FrameSender, HandshakeError, RecvError};

/// The worker's side: says hello and waits for the answer.
///
/// # Errors
/// [`HandshakeError`]; the process should exit then.
pub async fn greet(
    sender: &FrameSender,
    receiver: &mut FrameReceiver,
    tasks: Fingerprint,
) -> Result<Welcome, HandshakeError> {
    let ours = build_of(tasks);
    sender.try_send(FromWorker::Hello(ours).into_frame())?;
    let frame = receiver.recv().await?.ok_or(HandshakeError::HungUp)?;
    match ToWorker::from_frame(frame).map_err(RecvError::from)? {
        Parsed::Message(ToWorker::Welcome(welcome)) => Ok(welcome),
        Parsed::Message(ToWorker::Refused(theirs)) => {
            Err(HandshakeError::OtherBuild { ours, theirs })
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
    tasks: Fingerprint,
    welcome: Welcome,
) -> Result<(), HandshakeError> {
    let Parsed::Message(FromWorker::Hello(theirs)) = first else {
        return Err(HandshakeError::OutOfTurn);
    };
    let ours = build_of(tasks);
    if theirs == ours {
        sender.try_send(ToWorker::Welcome(welcome).into_frame())?;
        return Ok(());
    }
    sender.try_send(ToWorker::Refused(ours).into_frame())?;
    Err(HandshakeError::OtherBuild { ours, theirs })
}

fn build_of(tasks: Fingerprint) -> Build {
    Build {
        version: PROTOCOL_VERSION,
        fingerprint: tasks,
    }
}
