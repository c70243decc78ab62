//! What comes out of the encoding is what went in, or an error.

mod asymmetric;
mod deep;
mod same_bytes;
mod strange;
mod values;
