//! The files of AWS: sections of names and values, as boto3 reads them.
//!
//! A `#` or `;` begins a comment only at the beginning of a line; elsewhere it belongs to the value. Names are the same in
//! any case. Lines that are indented belong to the value before them, which is how a value has names and values itself.

use std::collections::HashMap;

/// Sections by name, each with its values by name in lower case.
#[derive(Debug, Default)]
pub(super) struct Ini(HashMap<String, Section>);

/// Values by name in lower case.
pub(super) type Section = HashMap<String, String>;

impl Ini {
    /// Reads what can be read: a line that is none of these things is left out.
    pub(super) fn parse(text: &str) -> Self {
        let mut sections: HashMap<String, Section> = HashMap::new();
        let mut section = None::<String>;
        let mut name = None::<String>;
        for line in text.lines() {
            let trimmed = line.trim();
            if trimmed.is_empty() || trimmed.starts_with(['#', ';']) {
                continue;
            }
            if let (true, Some(section), Some(name)) =
                (line.starts_with([' ', '\t']), &section, &name)
            {
                let values = sections.entry(section.clone()).or_default();
                let value = values.entry(name.clone()).or_default();
                value.push('\n');
                value.push_str(trimmed);
                continue;
            }
            name = None;
            if let Some(title) = trimmed
                .strip_prefix('[')
                .and_then(|rest| rest.split_once(']'))
            {
                let title = title.0.trim().to_owned();
                sections.entry(title.clone()).or_default();
                section = Some(title);
            } else if let (Some(section), Some((key, value))) = (&section, pair(trimmed)) {
                let values = sections.entry(section.clone()).or_default();
                values.insert(key.clone(), value);
                name = Some(key);
            }
        }
        Self(sections)
    }

    /// A section whose name, without quotes and spaces around its words, is this.
    pub(super) fn section(&self, words: &[&str]) -> Option<&Section> {
        let fits = |title: &str| {
            let mut rest = title;
            for (at, word) in words.iter().enumerate() {
                let Some(next) = rest.trim_start().strip_prefix(*word).or_else(|| {
                    let rest = rest.trim_start();
                    let quote = rest.chars().next().filter(|it| matches!(it, '"' | '\''))?;
                    rest[1..].strip_prefix(*word)?.strip_prefix(quote)
                }) else {
                    return false;
                };
                let is_last = at + 1 == words.len();
                if !is_last && !next.starts_with([' ', '\t']) {
                    return false;
                }
                rest = next;
            }
            rest.trim().is_empty()
        };
        let found = self.0.iter().find(|(title, _)| fits(title));
        found.map(|(_, section)| section)
    }
}

/// The names and values that a value of several lines holds.
pub(super) fn nested(value: &str) -> Section {
    value.lines().filter_map(pair).collect()
}

fn pair(line: &str) -> Option<(String, String)> {
    let at = line.find(['=', ':'])?;
    let (key, value) = (line[..at].trim(), line[at + 1..].trim());
    (!key.is_empty()).then(|| (key.to_lowercase(), value.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::{Ini, nested};

    #[test]
    fn it_reads_as_boto3_does() {
        let ini = Ini::parse(
            "stray = 1\n# a comment\n[profile a b]\nAWS_Access_Key_ID = AK#1 ; x\n  ; no\ns3 =\n  addressing_style = path\n\tother=1\n\
             [default]\nregion: eu-1\nregion = eu-2\n[profile 'q']\nx=1\n[profileless]\nx=2\n",
        );
        let section = ini.section(&["profile", "a b"]).unwrap();
        assert_eq!(section["aws_access_key_id"], "AK#1 ; x");
        assert_eq!(nested(&section["s3"])["addressing_style"], "path");
        assert_eq!(nested(&section["s3"])["other"], "1");
        assert_eq!(ini.section(&["default"]).unwrap()["region"], "eu-2");
        assert_eq!(ini.section(&["profile", "q"]).unwrap()["x"], "1");
        assert!(ini.section(&["profile", "less"]).is_none());
        assert!(ini.section(&["profile", "a"]).is_none());
    }
}
