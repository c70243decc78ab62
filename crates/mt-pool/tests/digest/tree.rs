//! Trees to digest.

use std::{
    ffi::OsStr,
    fs::{self, File, Permissions},
    os::unix::{ffi::OsStrExt, fs::PermissionsExt, fs::symlink},
    path::{Path, PathBuf},
};

use tempfile::TempDir;

/// A tree on disk, gone with the value, and what is in it.
pub(crate) struct Tree {
    folder: TempDir,
    pub(crate) files: Vec<Content>,
}

/// A file as it should be found.
pub(crate) struct Content {
    pub(crate) path: PathBuf,
    pub(crate) bytes: Vec<u8>,
    pub(crate) kind: &'static str,
}

impl Tree {
    /// Every sort of file there is, and links that lead in circles.
    pub(crate) fn of_all_sorts() -> Self {
        let mut tree = Self::empty();
        tree.add("text.txt", b"one two\n  three\tfour\r\nno end", "text");
        tree.add("spaces", b" \n\t\x0b\x0c\r\n ", "text");
        tree.add("empty", b"", "empty");
        let umlaut = "größe 世界\n".as_bytes();
        tree.add("deep/er/and/deeper/umlaut", umlaut, "text");
        tree.add("binary", &[0, 159, 146, 150, 10, 32, 0], "binary");
        tree.add("nul", b"text but for a \0", "binary");
        tree.add("half", b"ends in half a character: \xc3", "binary");
        tree.add("picture.txt", b"\x89PNG\r\n\x1a\n and so on", "image/png");
        tree.add("large", &numbers(5_000_000), "text");
        // Every character is cut by some chunk's end.
        let cut = format!("a{}", "世界".repeat(100_000));
        tree.add("cut", cut.as_bytes(), "text");
        let odd = OsStr::from_bytes(b"no\xffutf-8");
        tree.add(odd, b"its name is no text", "text");
        tree.add("new\nline \"quoted\"", b"x", "text");
        symlink("..", tree.path().join("deep/loop")).unwrap();
        symlink("itself", tree.path().join("itself")).unwrap();
        symlink("text.txt", tree.path().join("link")).unwrap();
        tree
    }

    /// `text-0.txt` and so on, all different.
    pub(crate) fn of_texts(files: usize) -> Self {
        let mut tree = Self::empty();
        for number in 0..files {
            let text = format!("file number {number}\n").repeat(number % 50 + 1);
            tree.add(format!("text-{number}.txt"), text.as_bytes(), "text");
        }
        tree
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn file(&self, name: &str) -> &Content {
        let mut files = self.files.iter();
        files.find(|file| file.path == Path::new(name)).unwrap()
    }

    /// False when this user may read it all the same.
    pub(crate) fn make_unreadable(&self, name: &str) -> bool {
        let path = self.path().join(name);
        fs::set_permissions(&path, Permissions::from_mode(0o000)).unwrap();
        File::open(path).is_err()
    }

    fn empty() -> Self {
        let (folder, files) = (tempfile::tempdir().unwrap(), Vec::new());
        Self { folder, files }
    }

    fn add(&mut self, path: impl AsRef<Path>, bytes: &[u8], kind: &'static str) {
        let full = self.path().join(&path);
        fs::create_dir_all(full.parent().unwrap()).unwrap();
        fs::write(full, bytes).unwrap();
        self.files.push(Content {
            path: path.as_ref().to_owned(),
            bytes: bytes.to_vec(),
            kind,
        });
    }
}

impl Content {
    /// Whether all versions of `wc` agree on its words.
    pub(crate) fn is_plain_text(&self) -> bool {
        let is_plain = |byte: &u8| matches!(byte, 9..=13 | b' '..=b'~');
        self.bytes.iter().all(is_plain)
    }
}

/// Text of about this length.
fn numbers(bytes: usize) -> Vec<u8> {
    let lines = (0..bytes / 20).map(|n| format!("{n} and then the\n"));
    lines.collect::<String>().into_bytes()
}
