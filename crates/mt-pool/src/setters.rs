//! The methods of builders that do no more than set an option.

/// Writes methods that take a builder, change it and give it back:
/// `pub fn name(self, value: Type) => self.field = value;` is
///
/// ```text
/// pub fn name(mut self, value: Type) -> Self {
///     self.field = value;
///     self
/// }
/// ```
macro_rules! setters {
    ($($(#[$meta:meta])* pub fn $name:ident($this:ident $(, $value:ident: $kind:ty)*) => $set:expr;)+) => {$(
        $(#[$meta])*
        pub fn $name(mut $this $(, $value: $kind)*) -> Self {
            $set;
            $this
        }
    )+};
}

pub(crate) use setters;
