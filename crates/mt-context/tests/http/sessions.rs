//! Sessions for tests, and what every session does.

use std::time::Duration;

use mt_context::{
    ContextError,
    http::{HttpConfig, HttpError, HttpErrorKind, HttpProxy, HttpSession},
    limits::HostLimits,
    retry::RetryPolicy,
};
use mt_test_kit::{assert_is, name_of, test_with, watchdog};

use super::server::{Reply, Server};

/// Runs a test in a runtime, under a watchdog.
pub(crate) fn in_runtime<F: AsyncFnOnce()>(test: F) {
    let _watchdog = watchdog(name_of::<F>());
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    runtime.unwrap().block_on(test());
}

/// The same in a process of its own, where memory can be measured.
pub(crate) fn alone<F: AsyncFnOnce()>(test: F) {
    mt_test_kit::alone(name_of::<F>(), || in_runtime(test));
}

/// Pauses that a test has time for.
pub(crate) fn quickly() -> RetryPolicy {
    RetryPolicy::new().pauses_ms(1, 5).attempts(4)
}

pub(crate) fn config() -> HttpConfig {
    let config = HttpConfig::new().retry(quickly()).proxy(HttpProxy::Direct);
    config.limits(HostLimits::none())
}

pub(crate) fn session() -> HttpSession {
    HttpSession::open(&config()).unwrap()
}

/// The one attempt that there is.
pub(crate) fn once() -> HttpSession {
    HttpSession::open(&config().retry(RetryPolicy::never())).unwrap()
}

pub(crate) fn kind<T: std::fmt::Debug>(result: Result<T, HttpError>) -> HttpErrorKind {
    result.unwrap_err().kind().clone()
}

/// Case C20: A request says who asks, and has the session's headers and its own, which count more.
#[test_with(in_runtime)]
async fn a_request_has_its_headers() {
    let server = Server::start(|_| Reply::ok("here"));
    let config = config()
        .user_agent("tests")
        .header("X-One", "1")
        .header("x-two", "2");
    let session = HttpSession::open(&config).unwrap();
    let request = session.get(&server.at("/a?b")).header("x-TWO", "two");
    assert_eq!(request.bytes().await.unwrap(), "here");
    let put = session.put(&server.at("/c"), "body").send().await.unwrap();
    assert_eq!((put.status(), put.content_length()), (200, Some(4)));
    let [get, put] = server.asked().try_into().unwrap();
    assert_eq!((get.method.as_str(), get.target.as_str()), ("GET", "/a?b"));
    for (name, value) in [
        ("user-agent", "tests"),
        ("x-one", "1"),
        ("x-two", "two"),
        ("accept-encoding", "gzip"),
    ] {
        assert_eq!(get.header(name), Some(value));
    }
    assert_eq!(
        (put.method.as_str(), put.body.as_slice()),
        ("PUT", &b"body"[..])
    );
}

/// Case C21: A status that is no success is an error that tells it, unless any is wanted.
#[test_with(in_runtime)]
async fn a_status_is_an_error_unless_any_is_wanted() {
    let server = Server::start(|asked| Reply::new(asked.target[1..].parse().unwrap(), "told"));
    for status in [204, 304, 400, 401, 403, 404, 410, 501] {
        let url = server.at(&format!("/{status}"));
        let sent = session().get(&url).send().await;
        match sent {
            Ok(answer) => assert_eq!((answer.status(), status), (204, 204)),
            Err(error) => {
                assert_eq!(
                    (error.status(), error.attempts(), error.can_retry()),
                    (Some(status), 1, false)
                );
                assert_eq!(error.is_permission_denied(), matches!(status, 401 | 403));
                assert!(
                    error.to_string().contains(&format!("status {status}")),
                    "{error}"
                );
            }
        }
    }
    let answer = session()
        .get(&server.at("/503"))
        .any_status()
        .send()
        .await
        .unwrap();
    assert_eq!(answer.status(), 503);
    assert_eq!(answer.bytes().await.unwrap(), "told");
}

/// Case C22: What is no address, no header or no connection is told as such, and only the last can be tried again.
#[test_with(in_runtime)]
async fn what_can_not_be_sent_is_told() {
    for address in ["", "a b", "ftp://a/", "file:///etc/passwd", "/a", "http://"] {
        let error = once().get(address).bytes().await.unwrap_err();
        assert_is!(error.kind(), HttpErrorKind::Address { .. });
        assert!(!error.can_retry());
    }
    let server = Server::start(|_| Reply::ok(""));
    let header = once().get(&server.url).header("a b", "c").bytes().await;
    assert_is!(kind(header), HttpErrorKind::Header { name } if name == "a b");
    let gone = server.url.clone();
    drop(server);
    let error = loop {
        // The server's thread may still be closing its socket.
        if let Err(error) = once().get(&gone).bytes().await {
            break error;
        }
    };
    assert!(error.can_retry(), "{error}");
    let nowhere = session()
        .get("http://127.0.0.1:1/")
        .bytes()
        .await
        .unwrap_err();
    assert_is!(nowhere.kind(), HttpErrorKind::Connect { detail } if detail.contains("refused"));
    assert_eq!((nowhere.attempts(), nowhere.can_retry()), (4, true));
}

#[test_with(in_runtime)]
async fn a_config_out_of_its_range_makes_no_session() {
    for (config, option) in [
        (
            config().connect_timeout(Duration::ZERO),
            "http.connect_timeout",
        ),
        (config().read_timeout(Duration::ZERO), "http.read_timeout"),
        (config().redirects(101), "http.redirects"),
        (config().header("a b", "c"), "http.header"),
        (config().header("a", "\n"), "http.header"),
        (config().user_agent("\n"), "http.user_agent"),
        (
            config().retry(RetryPolicy::new().attempts(0)),
            "retry.attempts",
        ),
        (
            config().limits(HostLimits::new().concurrency(0)),
            "limits.concurrency",
        ),
    ] {
        let error = HttpSession::open(&config).unwrap_err();
        assert_is!(error, ContextError::Option(error) if error.option == option);
    }
    let proxy = HttpProxy::Through("http://user:hunter2@[".into());
    for config in [
        config().proxy(proxy),
        config()
            .root_certificates("-----BEGIN CERTIFICATE-----\nhunter2\n-----END CERTIFICATE-----"),
    ] {
        let error = HttpSession::open(&config).unwrap_err();
        assert_is!(error, ContextError::Client { .. });
        assert!(!format!("{error} {error:?}").contains("hunter2"));
    }
}
