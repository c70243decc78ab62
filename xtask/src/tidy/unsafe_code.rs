//! Rule: `unsafe` lives in a few named files, and each use says why it is sound.
//!
//! The compiler denies `unsafe` everywhere else already; a file of this list opts out with
//! `#![expect(unsafe_code, reason = "…")]`.

use super::{Findings, Known, Rule, RustFile, Tree};

pub(super) const RULE: Rule = Rule {
    name: "unsafe",
    demands: "`unsafe` only under a `platform` folder, or in platform*.rs and page.rs of \
              crates/mt-ipc/src; each with a `// SAFETY:` comment right above it",
    check,
    known: Known::Nothing,
};

fn check(tree: &Tree, found: &mut Findings) {
    for file in &tree.rust {
        let is_justified = |at: &usize| is_justified(file, file.tokens[*at].line);
        let uses = file.find(["unsafe"]);
        if may_be_unsafe(&file.path) {
            let message = "say why this is sound in a `// SAFETY:` comment right above";
            found.add_tokens(file, uses.filter(|at| !is_justified(at)), message);
        } else {
            let message =
                "`unsafe` belongs in a platform file: move it there behind a safe function";
            found.add_tokens(file, uses, message);
        }
    }
}

fn may_be_unsafe(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or_default();
    let is_platform = name.starts_with("platform") || name == "page.rs";
    path.contains("/platform/") || (path.starts_with("crates/mt-ipc/src/") && is_platform)
}

/// Whether the statement that `line` is in has the comment on it or above it. Going up ends at the
/// first line that ends another statement or block, or that is empty.
fn is_justified(file: &RustFile, line: usize) -> bool {
    let above: Vec<&str> = file.text.lines().take(line).map(str::trim).collect();
    let is_comment = |text: &&&str| text.starts_with("//");
    let ends_another = |text: &str| text.is_empty() || text.ends_with([';', '{', '}', ',']);
    let mut lines = above.iter().rev();
    let own = lines.next().filter(is_comment);
    let statement = lines.take_while(|text| is_comment(text) || !ends_another(text));
    let mut comments = own.into_iter().chain(statement.filter(is_comment));
    comments.any(|text| text.contains("SAFETY:") || text.contains("# Safety"))
}

#[cfg(test)]
mod tests {
    use super::RULE;

    #[test]
    fn each_use_needs_its_reason() {
        for code in [
            "fn f() {\n    unsafe { g() } ~~\n}",
            "// SAFETY: far.\nunsafe impl A for B {}\nunsafe impl C for B {} ~~",
            "fn f() {\n    // SAFETY: g is called once.\n    unsafe { g() }\n}",
            "// SAFETY: g is called once,\n// and h too.\nlet a =\n    unsafe { g() };",
            "/// # Safety\n/// Call it once.\nunsafe fn f() {}",
            "// unsafe\nconst A: &str = \"unsafe\";",
        ] {
            RULE.check(&[("crates/mt-ipc/src/page.rs", code)]);
        }
    }

    #[test]
    fn the_place_matters() {
        let code = "// SAFETY: fine.\nunsafe impl A for B {}";
        RULE.check(&[("crates/mt-pool/src/page.rs", &format!("{code} ~~"))]);
        RULE.check(&[("crates/mt-pool/src/platform/unix.rs", code)]);
        RULE.check(&[("crates/mt-ipc/src/platform_windows.rs", code)]);
    }
}
