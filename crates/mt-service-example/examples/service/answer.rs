//! What a rendering has come to, as an answer of HTTP.

use axum::{
    http::{StatusCode, header::RETRY_AFTER},
    response::{Html, IntoResponse, Response},
};
use tower::{BoxError, load_shed::error::Overloaded};

/// The seconds after which to come again.
const RETRY_SECONDS: &str = "1";

/// Why a document is not rendered, and whose fault that is.
#[derive(Debug, thiserror::Error)]
#[error("{why}")]
pub(crate) struct Failed {
    status: StatusCode,
    why: String,
}

impl Failed {
    /// The document is refused.
    pub(crate) fn refused(error: impl ToString) -> Self {
        Self {
            status: StatusCode::UNPROCESSABLE_ENTITY,
            why: format!("the document is refused: {}", error.to_string()),
        }
    }

    /// Not the document's fault, and another time it may be rendered.
    pub(crate) fn for_now(why: impl ToString) -> Self {
        Self::with(StatusCode::SERVICE_UNAVAILABLE, why)
    }

    /// With a status of its own.
    pub(crate) fn with(status: StatusCode, why: impl ToString) -> Self {
        let why = why.to_string();
        Self { status, why }
    }
}

/// The page, or which error it is whose fault.
pub(crate) fn answer(rendered: Result<String, BoxError>) -> Response {
    let error = match rendered {
        Ok(html) => return Html(html).into_response(),
        Err(error) if error.is::<Overloaded>() => {
            return come_again("as many documents as may wait for the renderer");
        }
        Err(error) => error,
    };
    match error.downcast_ref::<Failed>() {
        Some(Failed { status, why }) if *status == StatusCode::SERVICE_UNAVAILABLE => {
            come_again(why)
        }
        Some(Failed { status, why }) => (*status, format!("{why}\n")).into_response(),
        None => (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()).into_response(),
    }
}

/// 503, with a time to come again.
pub(crate) fn come_again(why: &str) -> Response {
    let retry = [(RETRY_AFTER, RETRY_SECONDS)];
    (StatusCode::SERVICE_UNAVAILABLE, retry, format!("{why}\n")).into_response()
}
