//! Rule: files and functions fit in a head.
//!
//! Functions are counted here, with their blank lines and comments; clippy's `too_many_lines`
//! counts code lines only and does not see functions inside macro calls.

use super::{Findings, Rule, RustFile, Tree};

pub(super) const RULE: Rule = Rule {
    name: "size",
    demands: "no Rust file over 500 lines, the median under 120, no function body over 60",
    check,
};

const MAX_FILE_LINES: usize = 500;
const MEDIAN_FILE_LINES: usize = 120;
const MAX_FUNCTION_LINES: usize = 60;

fn check(tree: &Tree, found: &mut Findings) {
    let mut sizes = Vec::new();
    for file in &tree.rust {
        long_functions(file, found);
        let lines = file.text.lines().count();
        sizes.push(lines);
        if lines > MAX_FILE_LINES {
            let message = format!("{lines} lines, at most {MAX_FILE_LINES}: split it by role");
            found.add(&file.path, 1, message);
        }
    }
    sizes.sort_unstable();
    let median = sizes.get(sizes.len() / 2).copied().unwrap_or_default();
    if median >= MEDIAN_FILE_LINES {
        let message = format!("the median Rust file has {median} lines: split files by role");
        found.add("Cargo.toml", 1, message);
    }
}

fn long_functions(file: &RustFile, found: &mut Findings) {
    for at in file.find(["fn"]).filter(|at| file.is_ident(at + 1)) {
        let (name, line) = (&file.tokens[at + 1].text, file.tokens[at].line);
        let lines = body_lines(file, at).unwrap_or_default();
        if lines > MAX_FUNCTION_LINES {
            let message =
                format!("`{name}` has {lines} lines, at most {MAX_FUNCTION_LINES}: split it");
            found.add(&file.path, line, message);
        }
    }
}

/// The lines between the braces of the function whose `fn` is at `at`; `None` if it has no body.
fn body_lines(file: &RustFile, mut at: usize) -> Option<usize> {
    while !matches!(&*file.tokens.get(at)?.text, ";" | "{") {
        let is_opening = matches!(&*file.tokens[at].text, "(" | "[");
        at = 1 + if is_opening { file.closing(at) } else { at };
    }
    let last = file.tokens.get(file.closing(at))?;
    Some((last.line - file.tokens[at].line).saturating_sub(1))
}

#[cfg(test)]
mod tests {
    use super::RULE;

    #[test]
    fn long_functions_are_found_also_in_macros() {
        let none = "trait T { fn a(&self) -> [u8; 2]; }";
        let body = |lines| "g();\n".repeat(lines);
        RULE.check(&[("a.rs", &format!("{none}\nfn f() {{\n{}}}\n", body(60)))]);
        RULE.check(&[("a.rs", &format!("{none}\nfn f() {{ ~~\n{}}}\n", body(61)))]);
        let in_macro = format!("m! {{\n{none}\nfn f() {{ ~~\n{}}}\n}}\n", body(61));
        RULE.check(&[("a.rs", &in_macro)]);
    }

    #[test]
    fn long_files_are_found() {
        let small = [("b.rs", "\n"), ("c.rs", "\n")];
        RULE.check(&[("a.rs", &"\n".repeat(500)), small[0], small[1]]);
        let large = format!("~~{}", "\n".repeat(501));
        RULE.check(&[("a.rs", &large), small[0], small[1]]);
    }

    #[test]
    fn the_median_is_held_down() {
        let (small, large) = ("\n".repeat(10), "\n".repeat(120));
        let manifest = |text| ("Cargo.toml", text);
        RULE.check(&[
            ("a.rs", &small),
            ("b.rs", &small),
            ("c.rs", &large),
            manifest(""),
        ]);
        RULE.check(&[
            ("a.rs", &small),
            ("b.rs", &large),
            ("c.rs", &large),
            manifest("~~"),
        ]);
    }
}
