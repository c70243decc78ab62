//! Rule: links between our own pages work.
//!
//! Addresses on the web are not visited: a check must not fail because a host is down.

use super::{Findings, Rule, Tree};

pub(super) const RULE: Rule = Rule {
    name: "links",
    demands: "relative links in markdown files point to files that exist",
    check,
};

fn check(tree: &Tree, found: &mut Findings) {
    for page in &tree.markdown {
        let mut in_code = false;
        for (number, line) in page.text.lines().enumerate() {
            if line.trim_start().starts_with("```") {
                in_code = !in_code;
            }
            for target in targets(line).into_iter().filter(|_| !in_code) {
                if !resolve(&page.path, target).is_some_and(|path| tree.exists(&path)) {
                    let message = format!("`{target}` does not exist: correct the link");
                    found.add(&page.path, number + 1, message);
                }
            }
        }
    }
}

/// The files that a line links to, without anchors; code in backticks is left out.
fn targets(line: &str) -> Vec<&str> {
    let prose = line.split('`').step_by(2);
    let links = prose.flat_map(|text| text.split("](").skip(1));
    // A link whose text is code begins in the prose after that code.
    links
        .filter_map(|rest| rest.split([')', ' ', '#']).next())
        .filter(|target| !target.is_empty())
        .filter(|target| !target.contains("://") && !target.starts_with("mailto:"))
        .collect()
}

/// The path from the root that `target` on the page `page` means; `None` if it leaves the root.
fn resolve(page: &str, target: &str) -> Option<String> {
    let folder = page.rsplit_once('/').map_or("", |(folder, _)| folder);
    let mut parts: Vec<&str> = folder.split('/').filter(|part| !part.is_empty()).collect();
    for part in target.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()?),
            name => parts.push(name),
        }
    }
    Some(parts.join("/"))
}

#[cfg(test)]
mod tests {
    use super::RULE;

    #[test]
    fn links_to_nowhere_are_found() {
        for text in [
            "[it](../../README.md)",
            "[it](../../README.md#part), [that](./b.md)",
            "[`code`](b.md) [folder](../a/) [web](https://example.org/x) [here](#part)",
            "`[not](a-link.md)`",
            "```\n[not](a-link.md)\n```",
            "[it](README.md) ~~",
            "[`code`](c.md) ~~",
            "[it](../../../README.md) ~~",
        ] {
            RULE.check(&[("README.md", ""), ("docs/a/b.md", text)]);
        }
    }
}
