//! Expressions of licences, as SPDX has them: `(MIT OR Apache-2.0) AND Unicode-3.0`.

/// Whether licences of which each `is_allowed` are enough for an expression. One that is none is not met.
pub(super) fn is_met(expression: &str, is_allowed: &dyn Fn(&str) -> bool) -> bool {
    // `MIT/Apache-2.0` is how it was written before.
    let spaced = expression
        .replace('(', " ( ")
        .replace(')', " ) ")
        .replace('/', " OR ");
    let mut words = Words {
        left: spaced.split_whitespace().collect(),
        is_allowed,
    };
    let is_met = words.any();
    is_met == Some(true) && words.left.is_empty()
}

struct Words<'a> {
    left: Vec<&'a str>,
    is_allowed: &'a dyn Fn(&str) -> bool,
}

impl<'a> Words<'a> {
    fn any(&mut self) -> Option<bool> {
        let mut met = self.all()?;
        while self.takes("OR") {
            met |= self.all()?;
        }
        Some(met)
    }

    fn all(&mut self) -> Option<bool> {
        let mut met = self.one()?;
        while self.takes("AND") {
            met &= self.one()?;
        }
        Some(met)
    }

    fn one(&mut self) -> Option<bool> {
        if self.takes("(") {
            let met = self.any()?;
            return self.takes(")").then_some(met);
        }
        let name = self.next()?;
        if !self.takes("WITH") {
            return Some((self.is_allowed)(name));
        }
        // A licence with an exception is another licence.
        let whole = format!("{name} WITH {}", self.next()?);
        Some((self.is_allowed)(&whole))
    }

    fn next(&mut self) -> Option<&'a str> {
        (!self.left.is_empty()).then(|| self.left.remove(0))
    }

    fn takes(&mut self, word: &str) -> bool {
        let is_it = self
            .left
            .first()
            .is_some_and(|it| it.eq_ignore_ascii_case(word));
        if is_it {
            self.left.remove(0);
        }
        is_it
    }
}

#[cfg(test)]
mod tests {
    use super::is_met;

    #[test]
    fn one_of_many_is_enough_and_all_are_needed_where_it_says_so() {
        for (expression, expected) in [
            ("MIT", true),
            ("GPL-3.0", false),
            ("GPL-3.0 OR MIT", true),
            ("MIT/GPL-3.0", true),
            ("MIT or GPL-3.0", true),
            ("MIT AND GPL-3.0", false),
            ("GPL-3.0 OR MIT AND ISC", true),
            ("(GPL-3.0 OR MIT) AND ISC", true),
            ("(GPL-3.0 OR MIT) AND GPL-3.0", false),
            ("MIT WITH some-exception", false),
            ("ISC WITH ours OR GPL-3.0", true),
            ("MIT MIT", false),
            ("MIT OR", false),
            ("(MIT", false),
            ("", false),
        ] {
            let allowed = ["MIT", "ISC", "ISC WITH ours"];
            let is_allowed = |name: &str| allowed.contains(&name);
            assert_eq!(is_met(expression, &is_allowed), expected, "{expression}");
        }
    }
}
