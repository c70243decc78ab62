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
        let mut counts: BTreeMap<String, usize> = BTreeMap::new();
        for one in &found {
            *counts.entry(one.subject.clone()).or_default() += 1;
        }
        let limits = self.limits();
        found.retain_mut(|one| {
            let (count, subject) = (counts[&one.subject], &one.subject);
            let limit = limits.iter().find(|(known, ..)| known == subject);
            let most = limit.map_or(0, |(_, _, most)| *most);
            if most > 0 {
                one.message = format!(
                    "one of {count} in {subject}, at most {most}: {}",
                    one.message
                );
            }
            count > most
        });
        let file = format!("xtask/src/tidy/{}.rs", rule.replace('-', "_"));
        let stale = limits.into_iter().filter_map(|(subject, least, _)| {
            let count = counts.get(subject).copied().unwrap_or_default();
            let message =
                format!("{count} of `{subject}` are left: lower its number, or take it out");
            (count < least).then(|| Violation::new(&file, 1, message))
        });
        found.extend(stale);
        found
    }

    /// The fewest and the most findings about each subject that is named.
    fn limits(&self) -> Vec<(&'static str, usize, usize)> {
        match self {
            Self::Nothing => Vec::new(),
            Self::Subjects(all) => all.iter().map(|name| (*name, 1, usize::MAX)).collect(),
            Self::AtMost(all) => all.iter().map(|(name, most)| (*name, 0, *most)).collect(),
            Self::Exactly(all) => all.iter().map(|(name, all)| (*name, *all, *all)).collect(),
        }
    }
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
            _ => one.message.split(" are").next().unwrap_or_default(),
        });
        assert_eq!(left.collect::<Vec<_>>(), expected);
    }

    #[test]
    fn what_is_known_passes_and_what_is_mended_must_leave_the_list() {
        check(&Known::Nothing, &["a"], &["a"]);
        check(&Known::Subjects(&["a"]), &["a", "b", "a"], &["b"]);
        check(&Known::Subjects(&["a"]), &[], &["0 of `a`"]);
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
        check(&Known::Exactly(limits), &["a"], &["1 of `a`"]);
        check(&Known::Exactly(limits), &[], &["0 of `a`"]);
    }
}
