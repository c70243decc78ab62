//! The documents that clients send.

/// What is wrong with a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Document {
    Good,
    /// The renderer leaks by it.
    Leaky,
    /// Refused by the renderer.
    Malformed,
    /// A segmentation fault of the renderer.
    Deadly,
    /// Rendered for ever.
    Endless,
}

impl Document {
    /// All but the good one.
    pub(crate) const BAD: [Self; 4] = [Self::Deadly, Self::Leaky, Self::Endless, Self::Malformed];

    pub(crate) fn text(self) -> &'static str {
        match self {
            Self::Good => "{a section & {another one} with a \\{ in it}\nand what follows\n",
            Self::Leaky => "#one\n{text}\n#two\n",
            Self::Malformed => "{never closed",
            Self::Deadly => "never opened}",
            Self::Endless => "nothing follows \\",
        }
    }

    /// What it is answered.
    pub(crate) fn status(self) -> u16 {
        match self {
            Self::Good | Self::Leaky => 200,
            Self::Malformed => 422,
            Self::Deadly => 502,
            Self::Endless => 504,
        }
    }

    /// Whether it may be answered this while workers are killed: one that goes on for long may lose them all.
    pub(crate) fn may_be(self, status: u16) -> bool {
        status == self.status() || self == Self::Endless && status == 502
    }
}
