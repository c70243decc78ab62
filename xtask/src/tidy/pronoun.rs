//! Rule: a sentence of the documentation has a subject.

use super::{Findings, Rule, Tree};

pub(super) const RULE: Rule = Rule {
    name: "pronoun",
    demands: "no paragraph of a doc comment opens with a pronoun (It, She, They, This, …): it says what \
              it speaks of",
    check,
};

const PRONOUNS: &[&str] = &[
    "It", "She", "He", "They", "This", "That", "These", "Those", "Her", "His", "Its", "Their",
];

fn check(tree: &Tree, found: &mut Findings) {
    for file in tree.rust.iter().filter(|file| !file.package().is_empty()) {
        let (mut line_above, mut text_above) = (0, "");
        for comment in &file.comments {
            let text = comment.text.as_str();
            let doc = text.strip_prefix("///").or(text.strip_prefix("//!"));
            let Some(text) = doc.map(str::trim) else {
                continue;
            };
            let follows = line_above + 1 == comment.line;
            let opens = !follows || text_above.is_empty() || text_above.starts_with('#');
            let first = text.split_once(' ').map_or("", |(first, _)| first);
            if opens && PRONOUNS.contains(&first) {
                let message = format!("name what `{first}` stands for");
                found.add(&file.path, comment.line, message);
            }
            (line_above, text_above) = (comment.line, text);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::RULE;

    #[test]
    fn paragraphs_that_open_with_a_pronoun_are_found() {
        for text in [
            "//! It is. ~~",
            "/// She is. ~~\nfn f() {}",
            "struct A {\n/// These are. ~~\na: u8 }",
            "/// One.\n///\n/// It is. ~~\nfn f() {}",
            "/// A.\n/// # Errors\n/// This is. ~~\nfn f() {}",
            "/// What is\n/// This one.\nfn f() {}",
            "// It is.",
            "/// Itself is.\nfn f() {}",
            "/// It\nfn f() {}",
        ] {
            RULE.check(&[("crates/mt-a/src/a.rs", text)]);
        }
        RULE.check(&[("build.rs", "//! It is.")]);
    }
}
