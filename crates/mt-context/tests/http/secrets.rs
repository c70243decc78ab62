//! What is shown, and what never is.

use std::{
    io::{self, Write},
    sync::{Arc, Mutex},
};

use mt_context::http::{HttpProxy, HttpSession};
use mt_test_kit::{name_of, test_with};
use tracing_subscriber::fmt::MakeWriter;

use crate::{
    server::{Reply, Server},
    sessions::{config, in_runtime},
};

#[derive(Clone, Default)]
struct Written(Arc<Mutex<Vec<u8>>>);

impl Write for Written {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Written {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

fn alone<F: AsyncFnOnce()>(test: F) {
    mt_test_kit::alone(name_of::<F>(), || in_runtime(test));
}

/// A server that tells its secret in whatever it sends, and fails.
fn telling() -> Server {
    Server::start(|asked| match asked.target.split('?').next() {
        Some("/503") => Reply::new(503, "hunter2"),
        Some("/cut") => Reply::ok("hunter2").cut_after(3),
        Some("/loop") => Reply::new(302, "").header("location", "/loop?hunter2"),
        Some("/gzip") => Reply::ok("hunter2").header("content-encoding", "gzip"),
        Some("/nonsense") => Reply::new(0, "hunter2"),
        _ => Reply::new(404, "hunter2").header("set-cookie", "hunter2"),
    })
}

/// Case C49: No error, no `Debug` and no event of ours has a header's value, a URL's query or password, a proxy's password or
/// what a server sent, whatever fails.
#[test_with(alone)]
async fn secrets_are_shown_nowhere() {
    let written = Written::default();
    let subscriber = tracing_subscriber::fmt().with_max_level(tracing::Level::TRACE);
    let filter = tracing_subscriber::EnvFilter::new("mt_context=trace,mt_pool=trace");
    subscriber
        .with_env_filter(filter)
        .with_writer(written.clone())
        .init();
    let server = telling();
    let open = config()
        .header("authorization", "hunter2")
        .header("x-key", "hunter2");
    let proxy = HttpProxy::Through("http://user:hunter2@127.0.0.1:1".into());
    let (direct, proxied) = (
        HttpSession::open(&open).unwrap(),
        HttpSession::open(&open.clone().proxy(proxy.clone())).unwrap(),
    );
    let mut shown = format!("{open:?} {direct:?} {proxied:?} {proxy:?}");
    let base = server.url.replace("http://", "http://user:hunter2@");
    for session in [&direct, &proxied] {
        for path in ["/503", "/cut", "/loop", "/gzip", "/nonsense", "/404"] {
            let url = format!("{base}{path}?token=hunter2#hunter2");
            let request = session.get(&url).header("cookie", "hunter2");
            shown += &format!("{request:?}");
            let error = match request.send().await {
                Ok(answer) => {
                    shown += &format!("{answer:?}");
                    answer.bytes().await.unwrap_err()
                }
                Err(error) => error,
            };
            shown += &format!("{error} {error:?} {error:#?}\n");
            assert!(error.url().ends_with(path), "{error}");
        }
        for url in [
            "http://user:hunter2@[/?hunter2",
            "hunter2@?hunter2",
            "ftp://user:hunter2@a/?hunter2",
            "http://a:hunter2@b:x/",
        ] {
            let error = session
                .get(url)
                .header("x", "hunter2\n")
                .bytes()
                .await
                .unwrap_err();
            shown += &format!("{error} {error:?}");
        }
        let odd = session
            .get(&base)
            .header("x\n", "hunter2\n")
            .bytes()
            .await
            .unwrap_err();
        shown += &format!("{odd} {odd:?}");
    }
    let events = String::from_utf8(written.0.lock().unwrap().clone()).unwrap();
    assert!(events.contains("an attempt failed"), "{events}");
    assert!(!events.contains("hunter2"), "{events}");
    assert!(!shown.contains("hunter2"), "{shown}");
}
