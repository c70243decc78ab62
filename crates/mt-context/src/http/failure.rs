//! What an error of the client below means.

use std::{error::Error, io};

use reqwest::Url;

use super::{
    display_url::redacted,
    error::{HttpError, HttpErrorKind},
};

/// How many causes below each other are looked at.
const DEPTH: usize = 16;

/// An error of the client, while an answer to `url` or its body was read of which so much had come.
pub(super) fn of_client(
    error: reqwest::Error,
    shown: &str,
    url: &Url,
    received_bytes: u64,
) -> HttpError {
    let error = error.without_url();
    let detail = redacted(causes(&error), url);
    let is_untrusted = chain(&error).any(is_certificate);
    let kind = if is_untrusted {
        HttpErrorKind::Untrusted { detail }
    } else if error.is_connect() {
        HttpErrorKind::Connect { detail }
    } else if error.is_timeout() {
        HttpErrorKind::Timeout
    } else {
        HttpErrorKind::Cut {
            received_bytes,
            detail,
        }
    };
    HttpError::new(shown, kind)
}

fn is_certificate(error: &(dyn Error + 'static)) -> bool {
    match error.downcast_ref() {
        Some(rustls::Error::InvalidCertificate(_)) => true,
        Some(_) => false,
        // An `io::Error` has its content not as a cause of its own: the causes of that are its causes.
        None => inside(error).is_some_and(is_certificate),
    }
}

fn inside<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a (dyn Error + 'static)> {
    let inner: &(dyn Error + 'static) = error.downcast_ref::<io::Error>()?.get_ref()?;
    Some(inner)
}

fn chain<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(Some(error), |error: &&'a (dyn Error + 'static)| {
        (*error).source()
    })
    .take(DEPTH)
}

/// What the last two causes say: those above say only that there was an error.
fn causes(error: &(dyn Error + 'static)) -> String {
    let texts: Vec<_> = chain(error).map(ToString::to_string).collect();
    let mut last = texts[texts.len().saturating_sub(2)..].to_vec();
    last.dedup();
    last.join(": ")
}
