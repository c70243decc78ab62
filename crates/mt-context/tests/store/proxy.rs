//! What a server can't be asked to do: a proxy that refuses, cuts and answers by itself.

use std::{
    io,
    net::{Ipv4Addr, SocketAddr},
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};

/// What becomes of a request.
#[derive(Debug, Clone)]
pub(crate) enum Fault {
    /// The server gets it, and the client the answer.
    None,
    /// The proxy answers by itself: with this status, these further headers and this code.
    Answer(u16, &'static str, &'static str),
    /// The connection is closed before anything was done.
    Refuse,
    /// The server has done it, and the answer is lost.
    LoseAnswer,
    /// The answer's body ends after so many bytes.
    CutAfter(usize),
}

/// A proxy on the loopback, one connection a request, until it is dropped. What is to be put only if there is none goes
/// one at a time: the server in this process looks first and puts then.
pub(crate) struct Proxy {
    address: SocketAddr,
    seen: Arc<Mutex<Vec<String>>>,
    most_at_once: Arc<AtomicUsize>,
    accepting: JoinHandle<()>,
}

impl Proxy {
    /// One before this server. The rule is given the head of each request and its number from 0.
    pub(crate) async fn start(
        server: SocketAddr,
        rule: impl Fn(&str, usize) -> Fault + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let seen = Arc::<Mutex<Vec<String>>>::default();
        let heads = seen.clone();
        let rule = Arc::new(rule);
        let turn = Arc::<tokio::sync::Mutex<()>>::default();
        let most_at_once = Arc::<AtomicUsize>::default();
        let (now, most) = (Arc::<AtomicUsize>::default(), most_at_once.clone());
        let accepting = tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let (heads, rule, turn) = (heads.clone(), rule.clone(), turn.clone());
                let (now, most) = (now.clone(), most.clone());
                tokio::spawn(async move {
                    let decide = |head: &str| {
                        let mut heads = heads.lock().unwrap();
                        heads.push(head.to_owned());
                        let at_once = now.fetch_add(1, Ordering::Relaxed) + 1;
                        most.fetch_max(at_once, Ordering::Relaxed);
                        (rule(head, heads.len() - 1), Present(now.clone()))
                    };
                    // A connection that breaks is what this is for.
                    let _ = pass_on(client, server, &turn, decide).await;
                });
            }
        });
        Self {
            address,
            seen,
            most_at_once,
            accepting,
        }
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// How many requests have been here at once at most: each until its answer is here.
    pub(crate) fn most_at_once(&self) -> usize {
        self.most_at_once.load(Ordering::Relaxed)
    }

    /// The heads of the requests so far that begin so.
    pub(crate) fn seen(&self, beginning: &str) -> Vec<String> {
        let seen = self.seen.lock().unwrap();
        let fitting = seen.iter().filter(|head| head.starts_with(beginning));
        fitting.cloned().collect()
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

/// A request that is here.
struct Present(Arc<AtomicUsize>);

impl Drop for Present {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

async fn pass_on(
    mut client: TcpStream,
    server: SocketAddr,
    turn: &tokio::sync::Mutex<()>,
    decide: impl Fn(&str) -> (Fault, Present),
) -> io::Result<()> {
    let (head, mut body) = head(&mut client).await?;
    let length = content_length(&head);
    let read = body.len();
    body.resize(length, 0);
    client.read_exact(&mut body[read..]).await?;
    let (fault, present) = decide(&head);
    let request_line_is_head = head.starts_with("HEAD ");
    match fault {
        Fault::Refuse => return Ok(()),
        Fault::Answer(status, headers, code) => {
            let body = format!("<?xml version=\"1.0\"?><Error><Code>{code}</Code></Error>");
            let length = body.len();
            let head = format!(
                "HTTP/1.1 {status} X\r\nContent-Length: {length}\r\n{headers}Connection: close\r\n\r\n"
            );
            let body = if request_line_is_head { "" } else { &body };
            return client.write_all(format!("{head}{body}").as_bytes()).await;
        }
        Fault::None | Fault::LoseAnswer | Fault::CutAfter(_) => {}
    }
    let _turn = match head.to_ascii_lowercase().contains("if-none-match:") {
        true => Some(turn.lock().await),
        false => None,
    };
    let mut server = TcpStream::connect(server).await?;
    let once = head.replacen("\r\n", "\r\nConnection: close\r\n", 1);
    server.write_all(once.as_bytes()).await?;
    server.write_all(&body).await?;
    let mut answer = Vec::new();
    server.read_to_end(&mut answer).await?;
    let length = match fault {
        Fault::LoseAnswer => 0,
        Fault::CutAfter(most) => answer.len().min(end_of_head(&answer).unwrap_or(0) + most),
        _ => answer.len(),
    };
    drop(present);
    client.write_all(&answer[..length]).await
}

/// The head of a request, and what has come of its body with it.
async fn head(client: &mut TcpStream) -> io::Result<(String, Vec<u8>)> {
    let mut bytes = Vec::new();
    loop {
        if let Some(end) = end_of_head(&bytes) {
            let body = bytes.split_off(end);
            return Ok((String::from_utf8_lossy(&bytes).into_owned(), body));
        }
        if client.read_buf(&mut bytes).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
    }
}

fn end_of_head(bytes: &[u8]) -> Option<usize> {
    let at = bytes.windows(4).position(|four| four == b"\r\n\r\n")?;
    Some(at + 4)
}

fn content_length(head: &str) -> usize {
    let lines = head.lines().map(str::to_ascii_lowercase);
    let mut values =
        lines.filter_map(|line| Some(line.strip_prefix("content-length:")?.trim().to_owned()));
    values.next().map_or(0, |value| value.parse().unwrap())
}
