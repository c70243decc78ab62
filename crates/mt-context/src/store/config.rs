//! What a store is made of.

use serde::{Deserialize, Serialize};

/// What a [`Store`](super::Store) is made of.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct StoreConfig {}
