//! What a request that failed means for an object.

use super::error::{Operation, StoreError, StoreErrorKind};
use crate::{retry::FailureClass, s3::Failure};

impl StoreError {
    /// Of a request for an object.
    pub(super) fn of_request(operation: Operation, url: &str, failure: Failure) -> Self {
        let kind = kind(&failure);
        let mut problem = match sentence(kind, failure.status) {
            Some(sentence) => sentence.to_owned(),
            None => failure.problem,
        };
        if failure.attempts > 1 {
            problem = format!("{problem}, after {} attempts", failure.attempts);
        }
        let mut error = Self::new(operation, url, kind, problem);
        error.status = failure.status;
        error.code = failure.code;
        error.class = failure.class;
        error
    }
}

fn kind(failure: &Failure) -> StoreErrorKind {
    match (failure.code.as_deref(), failure.status) {
        (_, None) => StoreErrorKind::Connection,
        (Some("NoSuchBucket"), _) => StoreErrorKind::NoSuchBucket,
        (Some("RequestTimeTooSkewed"), _) => StoreErrorKind::ClockSkew,
        _ if failure.class == FailureClass::Throttled => StoreErrorKind::Throttled,
        (Some("NoSuchUpload"), _) => StoreErrorKind::Server,
        (_, Some(404)) => StoreErrorKind::NotFound,
        (_, Some(401 | 403)) => StoreErrorKind::AccessDenied,
        (_, Some(409 | 412)) => StoreErrorKind::Precondition,
        _ => StoreErrorKind::Server,
    }
}

fn sentence(kind: StoreErrorKind, status: Option<u16>) -> Option<&'static str> {
    Some(match kind {
        StoreErrorKind::NoSuchBucket => "there is no such bucket",
        StoreErrorKind::ClockSkew => "this machine's clock is wrong, or the server's",
        StoreErrorKind::Throttled => "the server asks for fewer requests",
        StoreErrorKind::NotFound => "it is not there",
        StoreErrorKind::AccessDenied => "the credentials are wrong or do not allow it",
        StoreErrorKind::Precondition => "it is not as it has to be for that",
        _ if matches!(status, Some(301 | 307)) => {
            "the bucket is in another region, or at another endpoint"
        }
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::{FailureClass, Operation, StoreError, StoreErrorKind};
    use crate::s3::Failure;

    #[test]
    fn a_failure_is_told_by_status_and_code() {
        use StoreErrorKind::{
            AccessDenied, ClockSkew, NoSuchBucket, NotFound, Precondition, Server, Throttled,
        };
        for (status, code, kind, class) in [
            (404, "NoSuchKey", NotFound, FailureClass::Permanent),
            (404, "", NotFound, FailureClass::Permanent),
            (404, "NoSuchBucket", NoSuchBucket, FailureClass::Permanent),
            (
                403,
                "SignatureDoesNotMatch",
                AccessDenied,
                FailureClass::Permanent,
            ),
            (
                403,
                "RequestTimeTooSkewed",
                ClockSkew,
                FailureClass::Permanent,
            ),
            (
                412,
                "PreconditionFailed",
                Precondition,
                FailureClass::Permanent,
            ),
            (
                409,
                "ConditionalRequestConflict",
                Throttled,
                FailureClass::Throttled,
            ),
            (503, "SlowDown", Throttled, FailureClass::Throttled),
            (200, "InternalError", Server, FailureClass::Server),
            (500, "", Server, FailureClass::Server),
        ] {
            let body = format!("<Error><Code>{code}</Code><Message>AKIA1</Message></Error>");
            let failure = Failure::of_status(status, &body, None);
            assert_eq!(failure.class, class, "{code}");
            let error = StoreError::of_request(Operation::Get, "s3://b/k", failure);
            assert_eq!(error.kind, kind, "{code}");
            assert!(!format!("{error} {error:?}").contains("AKIA1"), "{error}");
        }
        let strange = "<Code>AKIA <b>1</b></Code>";
        assert_eq!(Failure::of_status(400, strange, None).code, None);
    }
}
