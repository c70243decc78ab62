//! The workspace's files as the rules see them: read once, held as text and tokens.
//!
//! Reading the disk happens in [`Tree::read`] and nowhere else in `tidy`.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use walkdir::{DirEntry, WalkDir};

use super::manifest::Manifest;
use super::rust_file::RustFile;

/// Names of what is nothing of ours: build output, the repository's own data (a file in a worktree), scratch.
const SKIPPED: [&str; 3] = ["target", ".git", "wip"];

/// All files of the workspace.
#[derive(Default)]
pub(super) struct Tree {
    pub(super) rust: Vec<RustFile>,
    pub(super) manifests: Vec<Manifest>,
    pub(super) markdown: Vec<Markdown>,
    paths: BTreeSet<String>,
}

/// A markdown file.
pub(super) struct Markdown {
    pub(super) path: String,
    pub(super) text: String,
}

impl Tree {
    /// Reads the workspace at `root`.
    pub(super) fn read(root: &Path) -> Result<Self> {
        let mut tree = Self::default();
        let walk = WalkDir::new(root).sort_by_file_name().into_iter();
        for entry in walk.filter_entry(is_ours) {
            let entry = entry.context("failed to walk the workspace")?;
            let path = entry.path();
            let name = path.strip_prefix(root).unwrap_or(path).to_string_lossy();
            let name = name.replace('\\', "/");
            if entry.file_type().is_file() {
                let mut read = [".rs", ".md", ".toml"].iter();
                let is_read = read.any(|end| name.ends_with(end));
                let text = is_read.then(|| fs::read_to_string(path)).transpose();
                let text = text.with_context(|| format!("failed to read {path:?}"))?;
                tree.add(name, text.unwrap_or_default());
            }
        }
        Ok(tree)
    }

    /// Adds a file by its path and text.
    fn add(&mut self, path: String, text: String) {
        self.paths.insert(path.clone());
        if path.ends_with(".rs") {
            self.rust.push(RustFile::new(path, text));
        } else if path.ends_with("Cargo.toml") {
            self.manifests.push(Manifest::new(path, &text));
        } else if path.ends_with(".md") {
            self.markdown.push(Markdown { path, text });
        }
    }

    /// A tree of these paths and texts.
    #[cfg(test)]
    pub(super) fn of(files: &[(&str, &str)]) -> Self {
        let mut tree = Self::default();
        for (path, text) in files {
            tree.add((*path).to_owned(), (*text).to_owned());
        }
        tree
    }

    /// Whether `path` (from the root, with `/`) is a file, or a folder with a file in it.
    pub(super) fn exists(&self, path: &str) -> bool {
        let folder = format!("{}/", path.trim_end_matches('/'));
        let next = self.paths.range(folder.clone()..).next();
        let is_folder = next.is_some_and(|next| next.starts_with(&folder));
        path.is_empty() || self.paths.contains(path) || is_folder
    }

    /// Whether some file or folder ends with these names.
    pub(super) fn ends(&self, path: &str) -> bool {
        let within = format!("/{path}");
        let is_it = |there: &String| {
            let there = format!("/{there}");
            there.ends_with(&within) || there.contains(&format!("{within}/"))
        };
        self.paths.iter().any(is_it)
    }

    /// The files and folders at the top, each once.
    pub(super) fn top_level(&self) -> BTreeSet<&str> {
        let paths = self.paths.iter().map(|path| path.split('/').next());
        paths.flatten().collect()
    }

    /// The files of our crates' sources that are not tests.
    pub(super) fn sources(&self) -> impl Iterator<Item = &RustFile> {
        let files = self.rust.iter();
        files.filter(|file| file.is_crate_source() && !file.is_test())
    }

    /// The markdown file at `path`.
    pub(super) fn markdown_file(&self, path: &str) -> Option<&Markdown> {
        self.markdown.iter().find(|file| file.path == path)
    }
}

fn is_ours(entry: &DirEntry) -> bool {
    let name = entry.file_name().to_string_lossy();
    !SKIPPED.contains(&name.as_ref())
}

#[cfg(test)]
mod tests {
    use super::Tree;

    #[test]
    fn files_and_their_folders_exist_and_nothing_else_does() {
        let tree = Tree::of(&[("docs/a/b.md", "")]);
        for (path, exists) in [
            ("docs/a/b.md", true),
            ("docs/a/", true),
            ("docs", true),
            ("doc", false),
            ("b.md", false),
        ] {
            assert_eq!(tree.exists(path), exists, "{path}");
        }
    }
}
