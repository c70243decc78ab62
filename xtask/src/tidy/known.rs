//! What rules find and let pass for now: lists and numbers that can only shrink.

use std::collections::BTreeMap;

use super::violation::Violation;

/// What of a rule's findings is let pass. A finding's subject is what these lists name.
pub(super) enum Known {
    /// Nothing is.
    Nothing,
    /// Everything about these subjects. One about which nothing is found is to be taken out.
    Subjects(&'static [&'static str]),
    /// So many findings about a subject, and fewer.
    AtMost(&'static [(&'static str, usize)]),
    /// Exactly so many findings about a subject: when there are fewer, the number is to be lowered.
    Exactly(&'static [(&'static str, usize)]),
}

impl Known {
    /// What is not let pass of what the rule of this name has found, and what is stale in its list.
    pub(super) fn remove_from(&self, rule: &str, mut found: Vec<Violation>) -> Vec<Violation> {
        let file = format!("xtask/src/tidy/{}.rs", rule.replace('-', "_"));
        let stale = |message: String| Violation::new(&file, 1, message);
        match self {
            Self::Nothing => found,
            Self::Subjects(known) => {
                let counts = counts(&found);
                let gone = known
                    .iter()
                    .filter(|subject| !counts.contains_key(**subject));
                let gone: Vec<_> = gone
                    .map(|subject| stale(format!("`{subject}` is mended: take it out of the list")))
                    .collect();
                found.retain(|one| !known.contains(&&*one.subject));
                found.extend(gone);
                found
            }
            Self::AtMost(limits) => beyond(limits, found),
            Self::Exactly(limits) => {
                let counts = counts(&found);
                let lower = limits.iter().filter_map(|(subject, limit)| {
                    let count = counts.get(*subject).copied().unwrap_or_default();
                    let message = format!("{subject} has only {count}: lower its number, {limit}");
                    (count < *limit).then(|| stale(message))
                });
                let lower: Vec<_> = lower.collect();
                let mut found = beyond(limits, found);
                found.extend(lower);
                found
            }
        }
    }
}

fn counts(found: &[Violation]) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for one in found {
        *counts.entry(one.subject.clone()).or_default() += 1;
    }
    counts
}

/// Everything about the subjects of which too much is found.
fn beyond(limits: &[(&str, usize)], mut found: Vec<Violation>) -> Vec<Violation> {
    let counts = counts(&found);
    found.retain_mut(|one| {
        let limit = limits.iter().find(|(subject, _)| *subject == one.subject);
        let limit = limit.map_or(0, |(_, limit)| *limit);
        let (count, subject) = (counts[&one.subject], &one.subject);
        if limit > 0 {
            one.message = format!(
                "one of {count} in {subject}, at most {limit}: {}",
                one.message
            );
        }
        count > limit
    });
    found
}

#[cfg(test)]
mod tests {
    use super::{Known, Violation};

    /// What is left of findings about these subjects, the stale ones by their messages' first words.
    #[track_caller]
    fn check(known: &Known, subjects: &[&str], expected: &[&str]) {
        let found = subjects
            .iter()
            .map(|subject| Violation::new("a.rs", 1, "mend it").about(*subject));
        let left = known.remove_from("one-name", found.collect());
        let left = left.iter().map(|one| match one.path.as_str() {
            "a.rs" => one.subject.as_str(),
            _ => one.message.split(':').next().unwrap_or_default(),
        });
        assert_eq!(left.collect::<Vec<_>>(), expected);
    }

    #[test]
    fn what_is_known_passes_and_what_is_mended_must_leave_the_list() {
        check(&Known::Nothing, &["a"], &["a"]);
        check(&Known::Subjects(&["a"]), &["a", "b", "a"], &["b"]);
        check(&Known::Subjects(&["a"]), &[], &["`a` is mended"]);
    }

    #[test]
    fn numbers_hold() {
        let limits = &[("a", 2)];
        for known in [Known::AtMost(limits), Known::Exactly(limits)] {
            check(&known, &["a", "a"], &[]);
            check(&known, &["a", "a", "a"], &["a", "a", "a"]);
            check(&known, &["a", "b", "a"], &["b"]);
        }
        check(&Known::AtMost(limits), &["a"], &[]);
        check(&Known::Exactly(limits), &["a"], &["a has only 1"]);
        check(&Known::Exactly(limits), &[], &["a has only 0"]);
    }
}
