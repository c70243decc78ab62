//! A folder of images to try it on: some good ones, a corrupt one, and one that is small on the disk and
//! unpacks to 256 MB.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow};
use image::{ExtendedColorType, ImageEncoder, codecs::png::PngEncoder};
use mt_pool::asyn_pmap;

/// The images that are good.
const GOOD: u32 = 24;
/// The sides of the huge one, in grey pixels of one byte.
const HUGE: u32 = 16_000;

/// Paints the folder; returns how many of its images can have no thumbnail.
pub(crate) fn paint(folder: &Path) -> Result<usize> {
    std::fs::create_dir_all(folder).with_context(|| format!("making {}", folder.display()))?;
    let one = |n| (folder.join(format!("picture-{n:02}.png")), n);
    let items: Vec<(PathBuf, u32)> = (0..GOOD).map(one).collect();
    // In workers too: painting takes as long as reading.
    for painted in asyn_pmap::<picture>(items).start()? {
        painted.map_err(|error| anyhow!("painting {error}"))?;
    }
    for painted in asyn_pmap::<huge>([folder.join("zz-huge.png")]).start()? {
        painted.map_err(|error| anyhow!("painting {error}"))?;
    }
    let good = std::fs::read(folder.join("picture-00.png"))?;
    std::fs::write(folder.join("zz-corrupt.png"), &good[..good.len() / 2])?;
    Ok(2)
}

/// A gradient with rings, different for each number.
#[mt_pool::task]
fn picture(file: PathBuf, number: u32) -> Result<(), String> {
    let (width, height) = (800 + 40 * number, 600 + 20 * number);
    let picture = image::RgbImage::from_fn(width, height, |x, y| {
        let (dx, dy) = (x.abs_diff(width / 2), y.abs_diff(height / 2));
        let ring = ((dx * dx + dy * dy) / (200 + 10 * number)) as u8;
        image::Rgb([(x * 255 / width) as u8, (y * 255 / height) as u8, ring])
    });
    picture.save(&file).map_err(|error| error.to_string())
}

/// Nothing but black, which packs to next to nothing.
#[mt_pool::task]
fn huge(file: PathBuf) -> Result<(), String> {
    let pixels = vec![0_u8; HUGE as usize * HUGE as usize];
    let file = std::fs::File::create(&file).map_err(|error| error.to_string())?;
    PngEncoder::new(std::io::BufWriter::new(file))
        .write_image(&pixels, HUGE, HUGE, ExtendedColorType::L8)
        .map_err(|error| error.to_string())
}
