//! A server and a bucket.

use std::{
    env,
    io::{Read, Write},
    net::{SocketAddr, TcpStream},
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

use mt_context::{
    ContextConfig, Store, create_context_vars, retry::RetryPolicy, s3::S3Config, store::StoreConfig,
};
use mt_test_kit::{Folder, TempFolder};

use crate::server::{KEYS, Server};

/// Names another server.
const ENDPOINT: &str = "MT_TEST_S3_ENDPOINT";

/// A server and a bucket of its own.
pub(crate) struct Bed {
    /// The server's, if it is in this process, with its folder.
    own: Option<(Server, TempFolder)>,
    address: SocketAddr,
    bucket: String,
}

impl Bed {
    pub(crate) fn new() -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let bucket = format!("bed-{}-{number}", std::process::id());
        if let Ok(endpoint) = env::var(ENDPOINT) {
            let address = endpoint.trim_start_matches("http://").parse().unwrap();
            request(address, &format!("PUT /{bucket}"));
            return Self {
                own: None,
                address,
                bucket,
            };
        }
        let folder = Folder::temp();
        std::fs::create_dir(folder.file(&bucket)).unwrap();
        let server = Server::start(folder.path()).unwrap();
        let address = server
            .endpoint()
            .trim_start_matches("http://")
            .parse()
            .unwrap();
        Self {
            own: Some((server, folder)),
            address,
            bucket,
        }
    }

    /// Whether the server is the one in this process.
    pub(crate) fn is_own(&self) -> bool {
        self.own.is_some()
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// The address of an object, or of all whose keys begin so.
    pub(crate) fn url(&self, key: &str) -> String {
        format!("s3://{}/{key}", self.bucket)
    }

    /// What the server itself has, by its own names: read past the library.
    pub(crate) fn stored_keys(&self) -> Vec<String> {
        match &self.own {
            Some((_, folder)) => {
                let root = folder.file(&self.bucket);
                let mut keys = Vec::new();
                below(&root, "", &mut keys);
                keys
            }
            None => {
                let answer = request(self.address, &format!("GET /{}?list-type=2", self.bucket));
                let keys = answer.split("<Key>").skip(1);
                keys.map(|it| unescaped(it.split("</Key>").next().unwrap()))
                    .collect()
            }
        }
    }

    /// A config for a server that stands at this address: this one, or a proxy before it.
    pub(crate) fn s3(&self, address: SocketAddr) -> S3Config {
        let [id, secret] = KEYS;
        S3Config::keys(id, secret).endpoint(format!("http://{address}"))
    }

    pub(crate) fn config(&self) -> ContextConfig {
        config(self.s3(self.address))
    }

    pub(crate) async fn store(&self) -> Store {
        store(&self.config()).await
    }
}

/// A config with quick retries and small parts.
pub(crate) fn config(s3: S3Config) -> ContextConfig {
    let quick = RetryPolicy::new().attempts(4).pauses_ms(1, 20);
    ContextConfig::new().store(StoreConfig::new().s3(s3).retry(quick).part_bytes(5 << 20))
}

pub(crate) async fn store(config: &ContextConfig) -> Store {
    create_context_vars(config)
        .await
        .unwrap()
        .s3_client()
        .clone()
}

/// The files below a folder, as keys. A server's own files, whose names begin with a dot, are none.
fn below(folder: &std::path::Path, prefix: &str, keys: &mut Vec<String>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        let name = entry.file_name().into_string().unwrap();
        let key = format!("{prefix}{name}");
        if entry.file_type().unwrap().is_dir() {
            below(&entry.path(), &format!("{key}/"), keys);
        } else if !name.starts_with('.') {
            keys.push(key);
        }
    }
}

/// A request without a signature, and all of its answer.
fn request(address: SocketAddr, line: &str) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    stream
        .set_read_timeout(Some(Duration::from_secs(60)))
        .unwrap();
    let head = "Content-Length: 0\r\nConnection: close\r\n\r\n";
    write!(stream, "{line} HTTP/1.1\r\nHost: {address}\r\n{head}").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    answer
}

fn unescaped(text: &str) -> String {
    let entities = [
        ("&lt;", "<"),
        ("&gt;", ">"),
        ("&quot;", "\""),
        ("&apos;", "'"),
        ("&#39;", "'"),
        ("&#34;", "\""),
        ("&amp;", "&"),
    ];
    let plain = |text: String, (entity, plain): (&str, &str)| text.replace(entity, plain);
    entities.into_iter().fold(text.to_owned(), plain)
}
