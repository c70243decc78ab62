//! A server that answers as a test says, also in ways that no sound server does.

use std::{
    collections::BTreeMap,
    io::Write,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

use flate2::{Compression, write::GzEncoder};
use rustls::{
    ServerConfig,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
};
use tokio::{
    io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader},
    net::TcpListener,
    runtime::Builder,
    sync::{Notify, oneshot},
};
use tokio_rustls::TlsAcceptor;

/// A server in a thread of its own, gone with this value.
pub(crate) struct Server {
    pub(crate) url: String,
    shared: Arc<Shared>,
    _running: oneshot::Sender<()>,
}

struct Shared {
    handler: Box<dyn Fn(&Asked) -> Reply + Send + Sync>,
    asked: Mutex<Vec<Asked>>,
    at_once: AtomicUsize,
    most_at_once: AtomicUsize,
}

/// A request that has come.
#[derive(Debug, Clone, Default)]
pub(crate) struct Asked {
    /// How many came before it.
    pub(crate) number: usize,
    pub(crate) method: String,
    pub(crate) target: String,
    headers: BTreeMap<String, String>,
    pub(crate) body: Vec<u8>,
}

impl Asked {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(String::as_str)
    }

    /// From where on the body is wanted, if this is said.
    pub(crate) fn range(&self) -> Option<usize> {
        let range = self.header("range")?.strip_prefix("bytes=")?;
        range.strip_suffix('-')?.parse().ok()
    }
}

/// An answer, and what becomes of the connection.
pub(crate) struct Reply {
    status: u16,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
    chunk: usize,
    sent: usize,
    end: End,
}

#[derive(Clone)]
enum End {
    KeepOpen,
    Close,
    /// Nothing more comes, until this.
    Hang(Arc<Notify>),
    /// Nothing comes at all.
    Silent,
    /// There is no head, and the connection is closed.
    Raw,
}

impl Reply {
    pub(crate) fn new(status: u16, body: impl Into<Vec<u8>>) -> Self {
        let body = body.into();
        Self {
            status,
            headers: Vec::new(),
            chunk: usize::MAX,
            sent: body.len(),
            body,
            end: End::KeepOpen,
        }
    }

    pub(crate) fn ok(body: impl Into<Vec<u8>>) -> Self {
        Self::new(200, body)
    }

    /// The body from where on it is wanted, as of the version with this tag; all of it, if it is wanted of another.
    pub(crate) fn part(asked: &Asked, body: &[u8], tag: &str) -> Self {
        let is_same = asked.header("if-range").is_none_or(|wanted| wanted == tag);
        let reply = match asked.range().filter(|_| is_same) {
            Some(from) => {
                let (last, total) = (body.len() - 1, body.len());
                Self::new(206, &body[from..])
                    .header("content-range", &format!("bytes {from}-{last}/{total}"))
            }
            None => Self::ok(body),
        };
        reply.header("etag", tag)
    }

    /// Some bytes, so many times, compressed.
    pub(crate) fn gzip(plain: &[u8], times: usize) -> Self {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        for _ in 0..times {
            encoder.write_all(plain).unwrap();
        }
        Self::ok(encoder.finish().unwrap()).header("content-encoding", "gzip")
    }

    pub(crate) fn into_body(self) -> Vec<u8> {
        self.body
    }

    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Sends so much of the body and closes the connection.
    pub(crate) fn cut_after(mut self, bytes: usize) -> Self {
        (self.sent, self.end) = (bytes, End::Close);
        self
    }

    /// Sends so much of the body, and the rest when it is let go, or never.
    pub(crate) fn hang_after(mut self, bytes: usize, until: &Arc<Notify>) -> Self {
        (self.sent, self.end) = (bytes, End::Hang(until.clone()));
        self
    }

    /// Sends these bytes, whatever they are, and closes the connection.
    pub(crate) fn raw(bytes: Vec<u8>) -> Self {
        let mut reply = Self::ok(bytes);
        reply.end = End::Raw;
        reply
    }

    /// Never sends anything.
    pub(crate) fn silent() -> Self {
        let mut reply = Self::ok("");
        reply.end = End::Silent;
        reply
    }

    /// Sends the body in so many bytes at a time.
    pub(crate) fn in_pieces(mut self, bytes: usize) -> Self {
        self.chunk = bytes;
        self
    }
}

impl Server {
    pub(crate) fn start(handler: impl Fn(&Asked) -> Reply + Send + Sync + 'static) -> Self {
        Self::start_as(None, handler)
    }

    /// The same by TLS, as `localhost`.
    pub(crate) fn start_tls(handler: impl Fn(&Asked) -> Reply + Send + Sync + 'static) -> Self {
        Self::start_as(Some(acceptor()), handler)
    }

    fn start_as(
        tls: Option<TlsAcceptor>,
        handler: impl Fn(&Asked) -> Reply + Send + Sync + 'static,
    ) -> Self {
        let shared = Arc::new(Shared {
            handler: Box::new(handler),
            asked: Mutex::default(),
            at_once: AtomicUsize::new(0),
            most_at_once: AtomicUsize::new(0),
        });
        let (address, bound) = std::sync::mpsc::sync_channel(1);
        let (_running, over) = oneshot::channel();
        let (serving, is_tls) = (shared.clone(), tls.is_some());
        thread::spawn(move || {
            let runtime = Builder::new_current_thread().enable_all().build().unwrap();
            let local = tokio::task::LocalSet::new();
            local.block_on(&runtime, async move {
                let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
                address.send(listener.local_addr().unwrap()).unwrap();
                tokio::select! {
                    () = accept(listener, tls, serving) => {}
                    _ = over => {}
                }
            });
        });
        let address = bound.recv().unwrap();
        let url = match is_tls {
            true => format!("https://localhost:{}", address.port()),
            false => format!("http://{address}"),
        };
        Self {
            url,
            shared,
            _running,
        }
    }

    /// The URL of a path.
    pub(crate) fn at(&self, path: &str) -> String {
        format!("{}{path}", self.url)
    }

    /// All that has been asked.
    pub(crate) fn asked(&self) -> Vec<Asked> {
        self.shared.asked.lock().unwrap().clone()
    }

    /// Waits until so much has been asked.
    pub(crate) async fn wait_for(&self, count: usize) {
        while self.shared.asked.lock().unwrap().len() < count {
            tokio::task::yield_now().await;
        }
    }

    /// How many were answered at once, at most.
    pub(crate) fn most_at_once(&self) -> usize {
        self.shared.most_at_once.load(Ordering::SeqCst)
    }
}

/// As `localhost`, with a certificate for a hundred years of an authority that nobody else knows.
fn acceptor() -> TlsAcceptor {
    let pem = include_bytes!("certificates/localhost.pem");
    let chain = CertificateDer::pem_slice_iter(pem)
        .map(Result::unwrap)
        .collect();
    let key = PrivateKeyDer::from_pem_slice(pem).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config =
        ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let config = config
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(chain, key);
    TlsAcceptor::from(Arc::new(config.unwrap()))
}

async fn accept(listener: TcpListener, tls: Option<TlsAcceptor>, shared: Arc<Shared>) {
    while let Ok((stream, _)) = listener.accept().await {
        stream.set_nodelay(true).unwrap();
        let (shared, tls) = (shared.clone(), tls.clone());
        tokio::task::spawn_local(async move {
            // A client may go away at any time.
            let _ = match tls {
                Some(tls) => match tls.accept(stream).await {
                    Ok(stream) => serve(stream, &shared).await,
                    Err(error) => Err(error),
                },
                None => serve(stream, &shared).await,
            };
        });
    }
}

async fn serve(
    stream: impl AsyncRead + AsyncWrite + Unpin,
    shared: &Shared,
) -> std::io::Result<()> {
    let mut stream = BufReader::new(stream);
    while let Some(mut asked) = read_request(&mut stream).await? {
        let now = shared.at_once.fetch_add(1, Ordering::SeqCst) + 1;
        shared.most_at_once.fetch_max(now, Ordering::SeqCst);
        {
            let mut all = shared.asked.lock().unwrap();
            asked.number = all.len();
            all.push(asked.clone());
        }
        // Others come in the meantime, if there are any that may.
        tokio::task::yield_now().await;
        let reply = (shared.handler)(&asked);
        let sent = write_reply(&mut stream, &asked, &reply, &shared.at_once).await;
        sent?;
        if matches!(reply.end, End::Close | End::Raw) {
            break;
        }
    }
    Ok(())
}

async fn read_request(
    stream: &mut BufReader<impl AsyncRead + Unpin>,
) -> std::io::Result<Option<Asked>> {
    let mut asked = Asked::default();
    let mut line = String::new();
    if stream.read_line(&mut line).await? == 0 {
        return Ok(None);
    }
    let mut words = line.split_ascii_whitespace().map(str::to_owned);
    asked.method = words.next().unwrap_or_default();
    asked.target = words.next().unwrap_or_default();
    loop {
        line.clear();
        stream.read_line(&mut line).await?;
        let Some((name, value)) = line.trim_end().split_once(": ") else {
            break;
        };
        asked
            .headers
            .insert(name.to_ascii_lowercase(), value.to_owned());
    }
    let length = asked
        .header("content-length")
        .map_or(0, |length| length.parse().unwrap());
    asked.body = vec![0; length];
    stream.read_exact(&mut asked.body).await?;
    Ok(Some(asked))
}

async fn write_reply(
    stream: &mut BufReader<impl AsyncRead + AsyncWrite + Unpin>,
    asked: &Asked,
    reply: &Reply,
    at_once: &AtomicUsize,
) -> std::io::Result<()> {
    if let End::Silent = reply.end {
        // Until the client goes away.
        at_once.fetch_sub(1, Ordering::SeqCst);
        return stream.read_u8().await.map(drop);
    }
    if let End::Raw = reply.end {
        at_once.fetch_sub(1, Ordering::SeqCst);
        stream.write_all(&reply.body).await?;
        return stream.flush().await;
    }
    let mut head = format!("HTTP/1.1 {} -\r\n", reply.status);
    let has = |name: &str| reply.headers.iter().any(|(own, _)| own == name);
    if !has("content-length") && !has("transfer-encoding") {
        head += &format!("content-length: {}\r\n", reply.body.len());
    }
    for (name, value) in &reply.headers {
        head += &format!("{name}: {value}\r\n");
    }
    stream.write_all(head.as_bytes()).await?;
    stream.write_all(b"\r\n").await?;
    let body: &[u8] = if asked.method == "HEAD" {
        b""
    } else {
        &reply.body
    };
    let sent = &body[..reply.sent.min(body.len())];
    // Before its last byte: a client that has all of it may ask again at once.
    let (last, before) = match sent.split_last() {
        Some((last, before)) => (std::slice::from_ref(last), before),
        None => (sent, sent),
    };
    for piece in before.chunks(reply.chunk.min(1 << 20)) {
        stream.write_all(piece).await?;
        if reply.chunk != usize::MAX {
            stream.flush().await?;
            tokio::task::yield_now().await;
        }
    }
    if let End::Hang(until) = &reply.end {
        stream.write_all(last).await?;
        stream.flush().await?;
        until.notified().await;
        at_once.fetch_sub(1, Ordering::SeqCst);
        return stream.write_all(&body[sent.len()..]).await;
    }
    at_once.fetch_sub(1, Ordering::SeqCst);
    stream.write_all(last).await?;
    stream.flush().await
}
