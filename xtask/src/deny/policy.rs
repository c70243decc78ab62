//! The lists of `deny.toml`, of those that are checked here.

use std::collections::BTreeMap;

use anyhow::{Context, Result};
use toml::de::{DeTable, DeValue};

use super::licence;

/// What may come in, and what may not.
#[derive(Debug, Default)]
pub(super) struct Policy {
    licences: Vec<String>,
    /// By crate.
    exceptions: BTreeMap<String, Vec<String>>,
    /// Why, by crate.
    bans: BTreeMap<String, String>,
    registries: Vec<String>,
}

impl Policy {
    pub(super) fn read(text: &str) -> Result<Self> {
        let table = DeTable::parse(text).context("deny.toml is not TOML")?;
        let list = |section: &str, key: &str| -> Result<Vec<&DeValue<'_>>> {
            let section_table = table.get_ref().get(section);
            let value = section_table.and_then(|table| table.get_ref().get(key));
            let values = value.and_then(|value| value.get_ref().as_array());
            let values =
                values.with_context(|| format!("deny.toml has no list {section}.{key}"))?;
            Ok(values.iter().map(|value| value.get_ref()).collect())
        };
        let mut policy = Self {
            licences: texts(list("licenses", "allow")?),
            registries: texts(list("sources", "allow-registry")?),
            ..Self::default()
        };
        for exception in list("licenses", "exceptions")? {
            let allowed = exception
                .get("allow")
                .and_then(|it| it.get_ref().as_array());
            let allowed = allowed.context("an exception allows nothing")?;
            let allowed = texts(allowed.iter().map(|it| it.get_ref()));
            let name = text_at(exception, "crate").context("an exception names no crate")?;
            policy.exceptions.insert(name, allowed);
        }
        for ban in list("bans", "deny")? {
            let name = text_at(ban, "name").context("a ban names no crate")?;
            policy
                .bans
                .insert(name, text_at(ban, "reason").unwrap_or_default());
        }
        Ok(policy)
    }

    /// Why a crate is banned.
    pub(super) fn ban_of(&self, name: &str) -> Option<&str> {
        self.bans.get(name).map(String::as_str)
    }

    /// Whether a crate may come with this expression of licences.
    pub(super) fn allows(&self, name: &str, expression: &str) -> bool {
        let exceptions = self.exceptions.get(name).into_iter().flatten();
        let allowed: Vec<&String> = self.licences.iter().chain(exceptions).collect();
        licence::is_met(expression, &|licence| {
            allowed.iter().any(|it| *it == licence)
        })
    }

    /// Whether packages may come from there, as cargo writes it.
    pub(super) fn has_source(&self, source: &str) -> bool {
        let registry = source.strip_prefix("registry+");
        registry.is_some_and(|registry| self.registries.iter().any(|it| it == registry))
    }
}

fn text_at(value: &DeValue<'_>, key: &str) -> Option<String> {
    Some(value.get(key)?.get_ref().as_str()?.to_owned())
}

fn texts<'a, 'b: 'a>(values: impl IntoIterator<Item = &'a DeValue<'b>>) -> Vec<String> {
    let texts = values.into_iter().filter_map(DeValue::as_str);
    texts.map(str::to_owned).collect()
}
