//! Rule: `unsafe` lives in a few named files, and each use says why it is sound.
//!
//! The compiler denies `unsafe` everywhere else already; a file of this list opts out with
//! `#![expect(unsafe_code, reason = "…")]`.

use super::known::Known;
use super::rust_file::RustFile;
use super::tree::Tree;
use super::violation::{Rule, Violation};

pub(super) const RULE: Rule = Rule {
    name: "unsafe",
    demands: "`unsafe` only under a `platform` folder, or in platform*.rs and page.rs of \
              crates/mt-ipc/src; each with a `// SAFETY:` comment right above it",
    check,
    known: Known::Nothing,
};

fn check(tree: &Tree) -> Vec<Violation> {
    tree.rust.iter().flat_map(unsound).collect()
}

fn unsound(file: &RustFile) -> Vec<Violation> {
    let mut found = Vec::new();
    for token in file
        .tokens
        .iter()
        .filter(|token| token.is_ident && token.text == "unsafe")
    {
        let message = if !may_be_unsafe(file) {
            "`unsafe` belongs in a platform file: move it there behind a safe function"
        } else if !is_justified(file, token.line) {
            "say why this is sound in a `// SAFETY:` comment right above"
        } else {
            continue;
        };
        found.push(Violation::new(&file.path, token.line, message));
    }
    found
}

fn may_be_unsafe(file: &RustFile) -> bool {
    let name = file.path.rsplit('/').next().unwrap_or_default();
    file.folders().any(|folder| folder == "platform")
        || (file.path.starts_with("crates/mt-ipc/src/")
            && (name.starts_with("platform") || name == "page.rs"))
}

/// Whether the statement that `line` is in has the comment on it or above it. Going up ends at the
/// first line that ends another statement or block, or that is empty.
fn is_justified(file: &RustFile, line: usize) -> bool {
    let lines: Vec<&str> = file.text.lines().collect();
    for number in (1..=line).rev() {
        let text = lines.get(number - 1).map_or("", |line| line.trim());
        if text.starts_with("//") && (text.contains("SAFETY:") || text.contains("# Safety")) {
            return true;
        }
        let ends_another = text.is_empty() || text.ends_with([';', '{', '}', ',']);
        if number < line && ends_another && !text.starts_with("//") {
            return false;
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::{super::violation::check, RULE};

    const PAGE: &str = "crates/mt-ipc/src/page.rs";

    #[test]
    fn each_use_needs_its_reason() {
        let line_2 = ["crates/mt-ipc/src/page.rs:2"];
        check(&RULE, &[(PAGE, "fn f() {\n    unsafe { g() }\n}")], &line_2);
        check(
            &RULE,
            &[(
                PAGE,
                "// SAFETY: far.\nunsafe impl A for B {}\nunsafe impl C for B {}",
            )],
            &["crates/mt-ipc/src/page.rs:3"],
        );
        for code in [
            "fn f() {\n    // SAFETY: g is called once.\n    unsafe { g() }\n}",
            "// SAFETY: g is called once,\n// and h too.\nlet a =\n    unsafe { g() };",
            "/// # Safety\n/// Call it once.\nunsafe fn f() {}",
            "// unsafe\nconst A: &str = \"unsafe\";",
        ] {
            check(&RULE, &[(PAGE, code)], &[]);
        }
    }

    #[test]
    fn the_place_matters() {
        let code = "// SAFETY: fine.\nunsafe impl A for B {}";
        check(
            &RULE,
            &[("crates/mt-pool/src/page.rs", code)],
            &["crates/mt-pool/src/page.rs:2"],
        );
        check(&RULE, &[("crates/mt-pool/src/platform/unix.rs", code)], &[]);
        check(
            &RULE,
            &[("crates/mt-ipc/src/platform_windows.rs", code)],
            &[],
        );
    }
}
