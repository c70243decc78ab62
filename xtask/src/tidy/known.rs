//! What rules find and let pass for now: lists and numbers that can only shrink.

use std::collections::BTreeMap;

use super::Findings;

/// What of a rule's findings is let pass. A finding's subject is what these lists name.
pub(super) enum Known {
    /// Nothing is.
    Nothing,
    /// Everything about these subjects. One about which nothing is found is to be taken out.
    Subjects(&'static [&'static str]),
    /// Exactly so many findings about a subject: when there are fewer, the number is to be lowered.
    Exactly(&'static [(&'static str, usize)]),
}

impl Known {
    /// Takes what is let pass out of what the rule of this name has found, and adds what is stale here.
    pub(super) fn remove_from(&self, found: &mut Findings, rule: &str) {
        let mut counts: BTreeMap<String, usize> = BTreeMap::new();
        for one in &found.0 {
            *counts.entry(one.subject.clone()).or_default() += 1;
        }
        let limits = self.limits();
        let is_known = |subject: &str| limits.iter().any(|(known, ..)| *known == subject);
        found.0.retain(|one| !is_known(&one.subject));
        let file = format!("xtask/src/tidy/{}.rs", rule.replace('-', "_"));
        for (subject, least, most) in limits {
            let count = counts.get(subject).copied().unwrap_or_default();
            if count < least {
                let message =
                    format!("{count} left of `{subject}`: lower its number, or take it out");
                found.add(&file, 1, message);
            } else if count > most {
                let message = format!(
                    "{count} of `{subject}`, at most {most}: mend what is new (`cargo xtask tidy --only \
                     {rule} --known` lists all)"
                );
                found.add(&file, 1, message);
            }
        }
    }

    /// The fewest and the most findings about each subject that is named.
    fn limits(&self) -> Vec<(&'static str, usize, usize)> {
        match self {
            Self::Nothing => Vec::new(),
            Self::Subjects(all) => all.iter().map(|name| (*name, 1, usize::MAX)).collect(),
            Self::Exactly(all) => all.iter().map(|(name, all)| (*name, *all, *all)).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Findings, Known};

    /// What is left of findings about these subjects, the stale ones by their messages' first words.
    #[track_caller]
    fn check(known: &Known, subjects: &[&str], expected: &[&str]) {
        let mut found = Findings::default();
        for subject in subjects {
            found.add("a.rs", 1, "mend it").subject = (*subject).to_owned();
        }
        known.remove_from(&mut found, "one-name");
        let left = found.0.iter().map(|one| match one.path.as_str() {
            "a.rs" => one.subject.as_str(),
            _ => one.message.split([':', ',']).next().unwrap_or_default(),
        });
        assert_eq!(left.collect::<Vec<_>>(), expected);
    }

    #[test]
    fn what_is_known_passes_and_what_is_mended_must_leave_the_list() {
        check(&Known::Nothing, &["a"], &["a"]);
        check(&Known::Subjects(&["a"]), &["a", "b", "a"], &["b"]);
        check(&Known::Subjects(&["a"]), &[], &["0 left of `a`"]);
    }

    #[test]
    fn numbers_hold() {
        let exactly = Known::Exactly(&[("a", 2)]);
        check(&exactly, &["a", "a"], &[]);
        check(&exactly, &["a", "b", "a"], &["b"]);
        check(&exactly, &["a", "a", "a"], &["3 of `a`"]);
        check(&exactly, &["a"], &["1 left of `a`"]);
        check(&exactly, &[], &["0 left of `a`"]);
    }
}
