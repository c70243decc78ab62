//! What the macros refuse, and in which words.

/// Case H27: Mistakes in bees and queens are compile errors that say what to do.
#[test]
fn mistakes_are_explained() {
    trybuild::TestCases::new().compile_fail("tests/ui/*.rs");
}
