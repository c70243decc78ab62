//! Everything a worker gone mad might send, and that it is refused: from the header alone where the
//! header tells, and with the reason.

mod attachments;
mod frames;
mod messages;
