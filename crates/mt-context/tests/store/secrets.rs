//! What nobody is shown.

use std::{
    io::{self, Write},
    sync::{Arc, Mutex},
};

use mt_context::{create_context_vars, s3::S3Config};
use mt_test_kit::watchdog;
use tracing_subscriber::fmt::MakeWriter;

use crate::{
    bed::{Bed, config},
    proxy::{Fault, Proxy},
};

/// What must not be seen anywhere.
const SECRETS: [&str; 3] = [
    "AKIA-visible-to-nobody",
    "secret/visible+to/nobody",
    "token-visible-to-nobody",
];

/// All that is logged.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Log {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
}

/// Case C69: Credentials are in no `Debug`, no error and no log, however much is logged and whatever the server repeats.
#[tokio::test]
async fn credentials_are_shown_nowhere() {
    let _watchdog = watchdog("secrets");
    let log = Log::default();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_writer(log.clone());
    let _logging = tracing::subscriber::set_default(subscriber.finish());
    let bed = Bed::new();
    let rule = |_: &str, number| match number % 4 {
        0 => Fault::Answer(
            500,
            "x-echo: secret/visible+to/nobody\r\n",
            "AKIA-visible-to-nobody</Code><Message>token-visible-to-nobody",
        ),
        1 => Fault::Answer(400, "", "secret/visible+to/nobody"),
        2 => Fault::Refuse,
        _ => Fault::None,
    };
    let proxy = Proxy::start(bed.address(), rule).await;
    let [id, secret, token] = SECRETS;
    let credentials = mt_context::s3::S3Credentials::Keys {
        access_key_id: id.into(),
        secret_access_key: secret.into(),
        session_token: Some(token.into()),
    };
    let s3 = S3Config::of(credentials).endpoint(format!("http://{}", proxy.address()));
    let config = config(s3);
    let vars = create_context_vars(&config).await.unwrap();
    let mut shown = format!("{config:?} {config:#?} {vars:?}");
    for n in 0..8 {
        let url = bed.url(&n.to_string());
        let store = vars.s3_client();
        for error in [
            store.get_object(&url).await.err(),
            store.put_object(&url, "x").await.err(),
        ] {
            shown += &error.map_or_else(String::new, |error| format!("{error} {error:?}"));
        }
    }
    shown += &String::from_utf8_lossy(&log.0.lock().unwrap());
    assert!(shown.contains("an attempt failed"), "nothing was logged");
    for secret in SECRETS {
        let at = shown.find(secret);
        assert!(
            at.is_none(),
            "{secret}: {}",
            &shown[at.unwrap().saturating_sub(200)..at.unwrap()]
        );
    }
}
