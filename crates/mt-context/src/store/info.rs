//! What is known of an object without its body.

/// What is known of an object without its body.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct ObjectInfo {
    /// How many bytes its body has.
    pub size_bytes: u64,
}
