//! A body to a file.

use std::path::Path;

use super::{
    error::{HttpError, HttpErrorKind},
    transfer::{BodyTransfer, Step},
};
use crate::partial_file::{PartialError, PartialFile};

/// A file that has been downloaded.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Downloaded {
    /// How many bytes it has.
    pub bytes: u64,
    /// How many attempts it took.
    pub attempts: u32,
    /// The server's tag of the version, if it has one.
    pub etag: Option<String>,
}

/// How a download ends.
pub(super) struct DownloadOptions {
    pub(super) refuses_empty: bool,
    pub(super) syncs: bool,
}

/// Writes what is opened to a file, which is made before that.
pub(super) async fn download(
    opened: impl Future<Output = Result<BodyTransfer, HttpError>>,
    url: &str,
    path: &Path,
    way: DownloadOptions,
) -> Result<Downloaded, HttpError> {
    let failed = |problem: std::io::Error| HttpError::file(url, path, problem);
    let mut file = PartialFile::create(path)
        .await
        .map_err(|error| match error {
            PartialError::Io(error) => failed(error),
            PartialError::Busy => {
                let path = path.display().to_string();
                HttpError::new(url, HttpErrorKind::Busy { path })
            }
        })?;
    let mut transfer = opened.await?;
    transfer.check_announced()?;
    let mut bytes = 0;
    loop {
        match transfer.next().await? {
            Step::Piece(piece) => {
                file.write(&piece).await.map_err(failed)?;
                bytes += piece.len() as u64;
            }
            Step::Restarted => {
                file.restart().await.map_err(failed)?;
                bytes = 0;
            }
            Step::End => break,
        }
    }
    if bytes == 0 && way.refuses_empty {
        return Err(transfer.exchange().final_error(HttpErrorKind::Empty));
    }
    file.finish(way.syncs).await.map_err(failed)?;
    Ok(downloaded(&mut transfer, bytes))
}

fn downloaded(transfer: &mut BodyTransfer, bytes: u64) -> Downloaded {
    let attempts = transfer.exchange().schedule().attempt();
    let etag = transfer
        .headers()
        .get("etag")
        .and_then(|tag| tag.to_str().ok());
    let etag = etag.map(str::to_owned);
    Downloaded {
        bytes,
        attempts,
        etag,
    }
}
