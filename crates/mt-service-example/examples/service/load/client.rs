//! A connection to the service: a few lines of HTTP, which see what a client of HTTP sees.

use std::{io, time::Duration};

use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufStream},
    net::TcpStream,
};

/// What the service has answered.
#[derive(Debug, Default)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: String,
    /// Whether it says when to come again.
    pub(crate) says_when: bool,
    /// Whether nothing more can be asked on this connection.
    pub(crate) closes: bool,
    /// How long the service says that the rendering took.
    pub(crate) rendering: Option<Duration>,
}

pub(crate) struct Client {
    connection: BufStream<TcpStream>,
}

impl Client {
    pub(crate) async fn connect(port: u16) -> io::Result<Self> {
        let stream = TcpStream::connect(("127.0.0.1", port)).await?;
        stream.set_nodelay(true)?;
        Ok(Self {
            connection: BufStream::new(stream),
        })
    }

    /// Asks, and waits for the whole answer.
    pub(crate) async fn ask(&mut self, method: &str, path: &str, body: &str) -> io::Result<Answer> {
        let length = body.len();
        let request = format!(
            "{method} {path} HTTP/1.1\r\nhost: localhost\r\ncontent-length: {length}\r\n\r\n{body}"
        );
        self.connection.write_all(request.as_bytes()).await?;
        self.connection.flush().await?;
        self.read_answer().await
    }

    async fn read_answer(&mut self) -> io::Result<Answer> {
        let first = self.read_line().await?;
        let status = first
            .split(' ')
            .nth(1)
            .and_then(|status| status.parse().ok());
        let mut answer = Answer {
            status: status.ok_or(io::ErrorKind::InvalidData)?,
            ..Answer::default()
        };
        let mut length = 0;
        loop {
            let line = self.read_line().await?.to_ascii_lowercase();
            match line.split_once(": ") {
                Some(("content-length", bytes)) => {
                    length = bytes.parse().map_err(|_| io::ErrorKind::InvalidData)?;
                }
                Some(("connection", "close")) => answer.closes = true,
                Some(("server-timing", timing)) => answer.rendering = rendering(timing),
                Some(("retry-after", _)) => answer.says_when = true,
                Some(_) => {}
                None => break,
            }
        }
        let mut body = vec![0; length];
        self.connection.read_exact(&mut body).await?;
        answer.body = String::from_utf8(body).map_err(|_| io::ErrorKind::InvalidData)?;
        Ok(answer)
    }

    async fn read_line(&mut self) -> io::Result<String> {
        let mut line = String::new();
        match self.connection.read_line(&mut line).await? {
            0 => Err(io::ErrorKind::UnexpectedEof.into()),
            _ => Ok(line.trim_end().to_owned()),
        }
    }
}

/// The time of `render;dur=<milliseconds>`.
fn rendering(timing: &str) -> Option<Duration> {
    let millis: f64 = timing.split_once("dur=")?.1.parse().ok()?;
    Duration::try_from_secs_f64(millis / 1e3).ok()
}

/// Asks for a path on a connection of its own.
pub(crate) async fn get(port: u16, path: &str) -> io::Result<Answer> {
    Client::connect(port).await?.ask("GET", path, "").await
}
