//! What the macros refuse, and in which words.

/// Case M8: Mistakes are compile errors in the words of the guide; so is a run that leaves its scope.
#[test]
fn mistakes_are_explained() {
    trybuild::TestCases::new().compile_fail("tests/ui/*.rs");
}
