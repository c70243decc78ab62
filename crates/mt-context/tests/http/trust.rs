//! Servers that are trusted, and that are not.

use mt_context::http::{HttpErrorKind, HttpSession};
use mt_test_kit::{Scene, assert_is, role, test_with};

use crate::{
    server::{Reply, Server},
    sessions::{config, in_runtime, session},
};

/// Case C74: By `https` a server is trusted whose certificate comes from an authority of the system's or the config's, for the name
/// that it was asked by; another one is an error that is not tried again, and learns nothing.
#[test_with(in_runtime)]
async fn a_server_is_trusted_by_its_certificate() {
    let server = Server::start_tls(|asked| Reply::ok(&*asked.target));
    let authority = include_str!("certificates/authority.pem");
    let trusting = HttpSession::open(&config().root_certificates(authority)).unwrap();
    let answer = trusting.get(&server.at("/a")).bytes().await;
    assert_eq!(answer.unwrap(), "/a");
    let other_name = server.at("/b").replace("localhost", "127.0.0.1");
    for (session, url) in [(session(), server.at("/b")), (trusting, other_name)] {
        let error = session.get(&url).bytes().await.unwrap_err();
        assert_is!(error.kind(), HttpErrorKind::Untrusted { .. });
        assert_eq!((error.attempts(), error.can_retry()), (1, false), "{error}");
    }
    let plain = session()
        .get(&server.at("/c").replace("https", "http"))
        .bytes()
        .await;
    assert!(plain.unwrap_err().can_retry());
    assert_eq!(server.asked().len(), 1);
}

/// Case C76: On a machine without root certificates there are sessions all the same, which trust no server but by the
/// config's own.
#[test]
fn a_machine_without_root_certificates_has_sessions() {
    let name = "trust::a_machine_without_root_certificates_has_sessions";
    if role().is_empty() {
        let mut bare = Scene::of(name, "bare");
        bare.env("SSL_CERT_FILE", "/nonexistent")
            .env("SSL_CERT_DIR", "/nonexistent");
        let output = bare.output().unwrap();
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
        return;
    }
    in_runtime(async || {
        let plain = Server::start(|_| Reply::ok("plain"));
        assert_eq!(session().get(&plain.url).bytes().await.unwrap(), "plain");
        let server = Server::start_tls(|_| Reply::ok("trusted"));
        let error = session().get(&server.url).bytes().await.unwrap_err();
        assert_is!(error.kind(), HttpErrorKind::Untrusted { .. });
        let authority = include_str!("certificates/authority.pem");
        let trusting = HttpSession::open(&config().root_certificates(authority)).unwrap();
        assert_eq!(trusting.get(&server.url).bytes().await.unwrap(), "trusted");
    });
}
