//! What a worker does with an object.

use std::path::PathBuf;

use mt_context::{ContextVars, StoreError, retry::FailureClass};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use tokio::{
    fs::{self, File},
    io::AsyncWriteExt,
};

/// An object as the listing has it, and the file that it becomes.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Object {
    pub(crate) url: String,
    /// Another one when the object is replaced, by what the listing knows.
    pub(crate) version: String,
    pub(crate) size_bytes: u64,
    /// Below the mirror's folder.
    pub(crate) file: PathBuf,
}

/// The mirror's folder.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Folder(pub(crate) PathBuf);

/// What was mirrored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Mirrored {
    pub(crate) size_bytes: u64,
    /// The version that was listed: what is replaced while it is mirrored is mirrored again by the next run.
    pub(crate) version: String,
    pub(crate) sha256: String,
}

/// Why an object was not mirrored.
#[derive(Debug, thiserror::Error, Serialize, Deserialize)]
#[error("{problem}")]
pub(crate) struct NotMirrored {
    pub(crate) problem: String,
    /// Whether it may go well another time.
    pub(crate) can_retry: bool,
}

impl From<StoreError> for NotMirrored {
    fn from(error: StoreError) -> Self {
        Self {
            problem: error.to_string(),
            can_retry: error.class != FailureClass::Permanent,
        }
    }
}

impl From<std::io::Error> for NotMirrored {
    fn from(error: std::io::Error) -> Self {
        Self {
            problem: error.to_string(),
            can_retry: false,
        }
    }
}

/// Writes an object into the mirror's folder and digests it, piece by piece; the file has its name once it is whole.
#[mt_pool::task]
pub(crate) async fn mirror(
    #[context] vars: &ContextVars,
    #[shared] into: &Folder,
    object: Object,
) -> Result<Mirrored, NotMirrored> {
    let Folder(into) = into;
    let file = into.join(&object.file);
    if let Some(folder) = file.parent() {
        fs::create_dir_all(folder).await?;
    }
    // Another worker's file has another name, and one that was killed leaves its own: it is written anew.
    let temporary = into.join(format!(".{}.part", hex(&Sha256::digest(&object.url)[..16])));
    let mut reader = vars.s3_client().read_object(&object.url).await?;
    let mut out = File::create(&temporary).await?;
    let mut sha256 = Sha256::new();
    while let Some(piece) = reader.next_piece().await? {
        sha256.update(&piece);
        out.write_all(&piece).await?;
    }
    out.flush().await?;
    fs::rename(&temporary, &file).await?;
    Ok(Mirrored {
        size_bytes: reader.info().size_bytes,
        version: object.version,
        sha256: hex(&sha256.finalize()),
    })
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
