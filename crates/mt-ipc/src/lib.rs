//! mt-ipc
