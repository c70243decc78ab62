//! Rule: `unsafe` lives in a few named files, and each use says why it is sound.
//!
//! The compiler denies `unsafe` everywhere else already; a file of this list opts out with
//! `#![expect(unsafe_code, reason = "…")]`. Clippy looks at blocks of this system alone
//! (`undocumented_unsafe_blocks`); this looks at functions, and at code for other systems, too.

use super::{Findings, Rule, RustFile, Tree};

pub(super) const RULE: Rule = Rule {
    name: "unsafe",
    demands: "`unsafe` only in files of a `platform` folder; each with a `// SAFETY:` comment right above it",
    check,
};

fn check(tree: &Tree, found: &mut Findings) {
    for file in &tree.rust {
        let uses = file.find(["unsafe"]);
        if file.path.contains("/platform/") {
            let uses = uses.filter(|&at| !is_justified(file, file.tokens[at].line));
            let message = "say why this is sound in a `// SAFETY:` comment right above";
            found.add_tokens(file, uses, message);
        } else {
            let message =
                "`unsafe` belongs in a platform file: move it there behind a safe function";
            found.add_tokens(file, uses, message);
        }
    }
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
        let check = |code: &str| RULE.check(&[("crates/mt-ipc/src/platform/page.rs", code)]);
        check("fn f() {\n    unsafe { g() } ~~\n}");
        check("// SAFETY: far.\nunsafe impl A for B {}\nunsafe impl C for B {} ~~");
        for code in [
            "fn f() {\n    // SAFETY: g is called once.\n    unsafe { g() }\n}",
            "// SAFETY: g is called once,\n// and h too.\nlet a =\n    unsafe { g() };",
            "/// # Safety\n/// Call it once.\nunsafe fn f() {}",
            "// unsafe\nconst A: &str = \"unsafe\";",
        ] {
            check(code);
        }
    }

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
