//! Redirects.

use mt_context::http::{HttpErrorKind, HttpSession};
use mt_test_kit::{assert_is, test_with};

use crate::{
    server::{Reply, Server},
    sessions::{config, in_runtime, kind, session},
};

fn redirect(status: u16, to: &str) -> Reply {
    Reply::new(status, "elsewhere").header("location", to)
}

/// Case C36: So many redirects are followed and no more: a loop is an error, which is not tried again.
#[test_with(in_runtime)]
async fn a_loop_of_redirects_is_an_error() {
    let server = Server::start(|asked| match asked.target.as_str() {
        "/10" => Reply::ok("there"),
        "/a" => redirect(302, "/b"),
        "/b" => redirect(302, "/a"),
        "/self" => redirect(301, "/self"),
        number => redirect(
            307,
            &format!("/{}", number[1..].parse::<u32>().unwrap() + 1),
        ),
    });
    for looping in ["/a", "/self"] {
        let before = server.asked().len();
        let error = session()
            .get(&server.at(looping))
            .bytes()
            .await
            .unwrap_err();
        assert_is!(error.kind(), HttpErrorKind::Redirects { limit: 10 });
        assert_eq!((error.attempts(), error.can_retry()), (1, false));
        assert_eq!(server.asked().len() - before, 11);
    }
    assert_eq!(
        session().get(&server.at("/0")).bytes().await.unwrap(),
        "there"
    );
    let nine = HttpSession::open(&config().redirects(9)).unwrap();
    assert_is!(
        kind(nine.get(&server.at("/0")).bytes().await),
        HttpErrorKind::Redirects { limit: 9 }
    );
    let none = HttpSession::open(&config().redirects(0)).unwrap();
    assert_is!(
        kind(none.get(&server.at("/0")).bytes().await),
        HttpErrorKind::Status { status: 307 }
    );
}

/// Case C37: What a redirect leads to at another origin gets neither the session's headers, nor the request's, nor the URL's
/// user; at its own it does.
#[test_with(in_runtime)]
async fn credentials_do_not_go_elsewhere() {
    let other = Server::start(|_| Reply::ok("there"));
    let elsewhere = other.at("/elsewhere");
    let server = Server::start(move |asked| match asked.target.as_str() {
        "/away" => redirect(302, &elsewhere),
        "/stay" => redirect(302, "/here"),
        _ => Reply::ok("here"),
    });
    let session = HttpSession::open(&config().header("x-api-key", "secret")).unwrap();
    for path in ["/away", "/stay"] {
        let url = server.at(path).replace("http://", "http://user:secret@");
        let request = session
            .get(&url)
            .header("cookie", "secret")
            .header("accept", "text/plain");
        request.bytes().await.unwrap();
    }
    let [there] = other.asked().try_into().unwrap();
    assert_eq!(there.header("accept"), Some("text/plain"));
    assert!(there.header("user-agent").is_some());
    assert!(!format!("{there:?}").contains("secret"), "{there:?}");
    assert_eq!(there.header("authorization"), None);
    let here = server.asked().pop().unwrap();
    for (name, value) in [
        ("x-api-key", "secret"),
        ("cookie", "secret"),
        ("authorization", "Basic dXNlcjpzZWNyZXQ="),
    ] {
        assert_eq!(here.header(name), Some(value));
    }
}
