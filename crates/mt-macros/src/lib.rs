//! mt-macros
