//! What is mirrored already: a line for each object, written as it is done.

use std::{
    collections::HashMap,
    fs::{self, File, OpenOptions},
    io::{self, BufRead, BufReader, Write},
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};

use crate::task::{Mirrored, Object};

/// The ledger's name in the mirror's folder.
const NAME: &str = ".mirror.jsonl";

/// What earlier runs and this one have mirrored.
pub(crate) struct Ledger {
    into: PathBuf,
    known: HashMap<String, Mirrored>,
    file: File,
}

/// One object that is mirrored.
#[derive(Serialize, Deserialize)]
struct Entry {
    url: String,
    mirrored: Mirrored,
}

impl Ledger {
    /// Reads the ledger of a folder, or begins one. A line that a kill has left half is not there.
    pub(crate) fn open(into: &Path) -> io::Result<Self> {
        fs::create_dir_all(into)?;
        let path = into.join(NAME);
        let mut options = OpenOptions::new();
        let mut file = options.read(true).append(true).create(true).open(path)?;
        let mut known = HashMap::new();
        for line in BufReader::new(&file).lines() {
            if let Ok(Entry { url, mirrored }) = serde_json::from_str(&line?) {
                known.insert(url, mirrored);
            }
        }
        // So that what comes now is on a line of its own.
        writeln!(file)?;
        let into = into.to_owned();
        Ok(Self { into, known, file })
    }

    /// What is mirrored of an object, if it is as it was.
    pub(crate) fn current(&self, object: &Object) -> Option<&Mirrored> {
        let known = self.known.get(&object.url)?;
        let is_same = known.version == object.version && known.size_bytes == object.size_bytes;
        let file = fs::metadata(self.into.join(&object.file)).ok()?;
        (is_same && file.len() == known.size_bytes).then_some(known)
    }

    /// An object is mirrored.
    pub(crate) fn add(&mut self, url: &str, mirrored: &Mirrored) -> io::Result<()> {
        let entry = Entry {
            url: url.to_owned(),
            mirrored: mirrored.clone(),
        };
        let mut line = serde_json::to_vec(&entry)?;
        line.push(b'\n');
        self.file.write_all(&line)?;
        self.known.insert(entry.url, entry.mirrored);
        Ok(())
    }
}
