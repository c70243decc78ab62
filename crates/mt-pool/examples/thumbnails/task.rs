//! What runs in the workers: one image in, one thumbnail out.

use std::{
    path::PathBuf,
    time::{Duration, Instant},
};

use image::ImageReader;
use serde::{Deserialize, Serialize};

/// How the names of thumbnails begin that are being written.
const UNFINISHED: &str = ".unfinished-";

/// Whether a file is one that nobody writes any more once the run is over.
pub(crate) fn is_unfinished(file: &std::path::Path) -> bool {
    let name = file.file_name().unwrap_or_default().to_string_lossy();
    name.starts_with(UNFINISHED)
}

/// What all images share.
#[derive(Serialize, Deserialize)]
pub(crate) struct Job {
    /// Where thumbnails go.
    pub(crate) out: PathBuf,
    /// The longer side of thumbnails in pixels.
    pub(crate) side: u32,
}

/// A thumbnail that was made.
#[derive(Serialize, Deserialize)]
pub(crate) struct Thumb {
    pub(crate) file: PathBuf,
    /// The image's size.
    pub(crate) width: u32,
    pub(crate) height: u32,
    pub(crate) took: Duration,
}

/// Makes a thumbnail. The decoder's own limits are off: it is the process that may use only so much.
#[mt_pool::task]
pub(crate) fn thumbnail(#[shared] job: &Job, image: PathBuf) -> Result<Thumb, String> {
    let start = Instant::now();
    let text = |error: image::ImageError| error.to_string();
    let mut reader = ImageReader::open(&image)
        .and_then(ImageReader::with_guessed_format)
        .map_err(|error| error.to_string())?;
    reader.no_limits();
    let picture = reader.decode().map_err(text)?;
    let small = picture.thumbnail(job.side, job.side);
    // With the image's own ending: there may be another of the same name but for that.
    let name = image.file_name().unwrap_or_default().to_string_lossy();
    let file = job.out.join(format!("{name}.png"));
    // Whoever looks finds a whole thumbnail or none.
    let unfinished = format!("{UNFINISHED}{}-{name}.png", std::process::id());
    let unfinished = job.out.join(unfinished);
    small.save(&unfinished).map_err(text)?;
    std::fs::rename(&unfinished, &file).map_err(|error| error.to_string())?;
    Ok(Thumb {
        file,
        width: picture.width(),
        height: picture.height(),
        took: start.elapsed(),
    })
}
