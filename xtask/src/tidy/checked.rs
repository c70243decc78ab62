//! Rule: a value of the user's crosses with the shape of what was written, or as one of the types that need none.
//!
//! `encode` and `decode_strict` read whatever the bytes make possible, which is for messages of our own: both sides
//! are of one build there. What is the user's may be written in another way than it is read.

use super::{Findings, Rule, Tree};

pub(super) const RULE: Rule = Rule {
    name: "checked",
    demands: "outside mt-proto, `encode`, `encode_into` and `decode_strict` stand on a line with a comment that says `a value of ours`; \
              what is the user's goes through `encode_checked` and `decode_checked`, or `encode_item` and `decode_item`",
    check,
};

const UNCHECKED: &[&str] = &["encode", "encode_into", "decode_strict"];

fn check(tree: &Tree, found: &mut Findings) {
    let crosses = |path: &str| path.contains("/src/") && !path.starts_with("crates/mt-proto/");
    for file in tree.sources().filter(|file| crosses(&file.path)) {
        let calls = (0..file.tokens.len()).filter(|&at| {
            let token = &file.tokens[at];
            let is_called =
                file.tokens_are(at + 1, &["("]) || file.tokens_are(at + 1, &["::", "<"]);
            let is_other = file.follows(at, &["."]) || file.follows(at, &["fn"]);
            let mut comments = file.comments_at(token.line);
            UNCHECKED.contains(&token.text.as_str())
                && is_called
                && !is_other
                && !token.in_test
                && !comments.any(|text| text.contains("a value of ours"))
        });
        let message = "a value of the user's is to be checked: `encode_checked`, `encode_item` and their like; of ours, \
                       say so: `// a value of ours`";
        found.add_tokens(file, calls, message);
    }
}

#[cfg(test)]
mod tests {
    use super::RULE;

    #[test]
    fn unchecked_values_are_found() {
        for call in [
            "decode_strict(bytes)",
            "mt_proto::decode_strict::<E>(bytes)",
            "encode(&item, limit)",
            "mt_proto::encode_into(&mut buffer, &item, limit)",
        ] {
            let path = "crates/mt-pool/src/executor/job.rs";
            RULE.check(&[(path, &format!("fn f() {{ {call}; }} ~~"))]);
            let ours = format!("fn f() {{\n// guarded: a value of ours.\n{call};\n}}");
            RULE.check(&[(path, &ours)]);
            let of_proto = format!("fn f() {{ {call}; }}");
            RULE.check(&[("crates/mt-proto/src/message.rs", &of_proto)]);
            RULE.check(&[("crates/mt-pool/tests/processes/main.rs", &of_proto)]);
            let of_test = format!("#[cfg(test)]\nmod tests {{ fn f() {{ {call}; }} }}");
            RULE.check(&[(path, &of_test)]);
        }
    }

    #[test]
    fn what_is_checked_or_another_method_is_fine() {
        for code in [
            "fn f() { encode_item(&item, limit); decode_checked::<E>(bytes); }",
            "fn encode(item: u8) {}\nfn f() { self.encode(item); reporter.encode(index, result); }",
            "use mt_proto::{encode, decode_strict};",
        ] {
            RULE.check(&[("crates/mt-beehive/src/queen/run.rs", code)]);
        }
    }
}
