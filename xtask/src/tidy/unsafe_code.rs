//! Rule: `unsafe` lives in a few named files.
//!
//! The compiler denies `unsafe` everywhere else already; a file of this list opts out with
//! `#![expect(unsafe_code, reason = "…")]`. That each use says why it is sound is clippy's to see
//! (`undocumented_unsafe_blocks`).

use super::{Findings, Rule, Tree};

pub(super) const RULE: Rule = Rule {
    name: "unsafe",
    demands: "`unsafe` only in files of a `platform` folder",
    check,
};

fn check(tree: &Tree, found: &mut Findings) {
    let files = tree.rust.iter();
    for file in files.filter(|file| !file.path.contains("/platform/")) {
        let message = "`unsafe` belongs in a platform file: move it there behind a safe function";
        found.add_tokens(file, file.find(["unsafe"]), message);
    }
}

#[cfg(test)]
mod tests {
    use super::RULE;

    #[test]
    fn the_place_matters() {
        let code = "// SAFETY: fine.\nunsafe impl A for B {}";
        RULE.check(&[("crates/mt-pool/src/page.rs", &format!("{code} ~~"))]);
        RULE.check(&[("crates/mt-pool/src/platform/unix.rs", code)]);
        RULE.check(&[(
            "crates/mt-pool/src/page.rs",
            "// unsafe\nconst A: &str = \"unsafe\";",
        )]);
    }
}
