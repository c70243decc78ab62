//! `cargo xtask tidy`: the rules of this codebase that no compiler checks, as code.
//!
//! To add a rule: one file with a `RULE` in it, one `mod` line, one line in [`RULES`]. A rule is a
//! pure function from the [`Tree`] to violations; only [`Tree::read`] touches the disk, so each
//! rule's tests are texts: some that break it, some that do not.

mod imports;
mod manifest;
mod rust_file;
mod tokens;
mod tree;
mod violation;

mod arrows;
mod bounded;
mod cases;
mod checked;
mod circles;
mod dependencies;
mod floors;
mod guard;
mod links;
mod module_doc;
mod named_files;
mod one_name;
mod owners;
mod pronoun;
mod pure;
mod seed_map;
mod she;
mod size;
mod sleep;
mod top_level;
mod unfinished;
mod unsafe_code;
mod used;

use anyhow::{Result, bail};

use crate::step;
use rust_file::{NamedPath, RustFile};
use tree::Tree;
use violation::{Findings, Rule, Violation};

const RULES: &[Rule] = &[
    arrows::RULE,
    circles::RULE,
    floors::RULE,
    pure::RULE,
    owners::RULE,
    guard::RULE,
    checked::RULE,
    bounded::RULE,
    unsafe_code::RULE,
    module_doc::RULE,
    size::RULE,
    one_name::RULE,
    pronoun::RULE,
    she::RULE,
    unfinished::RULE,
    sleep::RULE,
    dependencies::RULE,
    used::RULE,
    seed_map::RULE,
    cases::RULE,
    links::RULE,
    named_files::RULE,
    top_level::RULE,
];

/// Checks the architecture rules and prints every violation as `path:line: rule: what to do`.
#[derive(clap::Args, Default)]
pub(crate) struct Args {
    /// Print the rules and what each demands, and check nothing
    #[arg(long)]
    list: bool,

    /// Write the tables of cases and promises in docs/testing.md anew, before anything is checked
    #[arg(long)]
    write: bool,

    /// Check only these rules; may be given more than once
    #[arg(long, value_name = "RULE", value_parser = rule_names())]
    only: Vec<String>,
}

fn rule_names() -> clap::builder::PossibleValuesParser {
    let names: Vec<&str> = RULES.iter().map(|rule| rule.name).collect();
    names.into()
}

/// Lists or checks the rules.
pub(crate) fn run(args: &Args) -> Result<()> {
    if args.list {
        for rule in RULES {
            println!("{:<13} {}", rule.name, rule.demands);
        }
        return Ok(());
    }
    let mut tree = Tree::read(&step::root())?;
    if args.write
        && let Some(page) = cases::rewritten(&tree)
    {
        std::fs::write(step::root().join(cases::PAGE), page)?;
        tree = Tree::read(&step::root())?;
    }
    let mut violations: Vec<(&str, Violation)> = Vec::new();
    for rule in RULES {
        if args.only.is_empty() || args.only.iter().any(|name| name == rule.name) {
            let mut found = Findings::default();
            (rule.check)(&tree, &mut found);
            violations.extend(found.0.into_iter().map(|one| (rule.name, one)));
        }
    }
    violations.sort_by(|(_, a), (_, b)| (&a.path, a.line).cmp(&(&b.path, b.line)));
    for (rule, found) in &violations {
        println!("{}:{}: {rule}: {}", found.path, found.line, found.message);
    }
    if !violations.is_empty() {
        let count = violations.len();
        bail!("{count} violations (`cargo xtask tidy --list` explains the rules)");
    }
    println!("tidy: {} Rust files keep the rules", tree.rust.len());
    Ok(())
}
