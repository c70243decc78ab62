//! The first words: a worker says which build it is, the parent takes it or not.

use mt_proto::{
    Build, DecodeError, Fingerprint, Frame, FromWorker, PROTOCOL_VERSION, ToWorker, Welcome,
};

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
    sender.try_send(hello(tasks))?;
    answered(receiver, tasks).await
}

/// The worker's first word.
pub(crate) fn hello(tasks: Fingerprint) -> Frame {
    FromWorker::Hello(build_of(tasks)).into_frame()
}

/// The worker's side when it has said hello ([`Inherited::say_hello`](crate::Inherited::say_hello)): waits for the answer.
///
/// # Errors
/// [`HandshakeError`]; the process should exit then.
pub async fn answered(
    receiver: &mut FrameReceiver,
    tasks: Fingerprint,
) -> Result<Welcome, HandshakeError> {
    let ours = build_of(tasks);
    let frame = receiver.recv().await?.ok_or(HandshakeError::HungUp)?;
    match ToWorker::from_frame(frame).map_err(RecvError::from)? {
        ToWorker::Welcome(welcome) => Ok(welcome),
        ToWorker::Refused(theirs) => Err(HandshakeError::OtherBuild { ours, theirs }),
        _ => Err(HandshakeError::OutOfTurn),
    }
}

/// The parent's side: judges a worker's first message and answers it.
///
/// # Errors
/// [`HandshakeError`]; the worker was told so where that is possible, and should be killed.
pub fn accept(
    sender: &FrameSender,
    first: Frame,
    tasks: Fingerprint,
    welcome: Welcome,
) -> Result<(), HandshakeError> {
    let theirs = match FromWorker::from_frame(first) {
        Ok(FromWorker::Hello(theirs)) => theirs,
        Ok(_) | Err(DecodeError::WrongDirection(_)) => return Err(HandshakeError::OutOfTurn),
        Err(error) => return Err(RecvError::from(error).into()),
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
