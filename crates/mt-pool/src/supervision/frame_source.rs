//! Where frames of a worker's role wait to be sent.

use mt_proto::Frame;

/// Where frames of a worker's role wait to be sent. The session takes one whenever few are on their way, so what
/// comes meanwhile can be put together.
pub trait FrameSource: Send + Sync + 'static {
    /// Waits until there is a frame. Must be cancel-safe.
    fn filled(&self) -> impl Future<Output = ()> + Send;

    /// Takes a frame, if there is one. When there are more, [`filled`](Self::filled) returns again.
    fn take(&self) -> Option<Frame>;
}

/// No frames wait: the owner sends by the sender that it gets with
/// [`SessionEvent::Greeted`](super::SessionEvent::Greeted).
#[derive(Debug, Clone, Copy, Default)]
pub struct SendsItself;

impl FrameSource for SendsItself {
    async fn filled(&self) {
        std::future::pending().await
    }

    fn take(&self) -> Option<Frame> {
        None
    }
}
