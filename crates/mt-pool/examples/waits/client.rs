//! One request, and the client it goes through: a few lines of HTTP, enough for the server beside it.

use std::{cell::RefCell, io};

use mt_pool::Context;
use serde::{Deserialize, Serialize};
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufStream},
    net::TcpStream,
};

/// Keeps connections for the next request.
pub(crate) struct Client {
    port: u16,
    idle: RefCell<Vec<BufStream<TcpStream>>>,
}

impl Context for Client {
    type Config = u16;
    type Error = io::Error;

    async fn open(port: &u16) -> io::Result<Self> {
        Ok(Self {
            port: *port,
            idle: RefCell::default(),
        })
    }
}

/// A page that was fetched.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Page {
    pub(crate) bytes: u64,
}

/// Fetches a page; `None` if it is not there.
#[mt_pool::task]
pub(crate) async fn fetch(#[context] client: &Client, id: u64) -> Result<Option<Page>, String> {
    match client.get(id).await.map_err(|error| error.to_string())? {
        (200, bytes) => Ok(Some(Page { bytes })),
        (404, _) => Ok(None),
        (status, _) => Err(format!("page {id}: the server answers {status}")),
    }
}

impl Client {
    /// The status of an answer, and the length of its body.
    async fn get(&self, id: u64) -> io::Result<(u16, u64)> {
        let idle = self.idle.borrow_mut().pop();
        let mut connection = match idle {
            Some(connection) => connection,
            None => BufStream::new(TcpStream::connect(("127.0.0.1", self.port)).await?),
        };
        let request = format!("GET /{id} HTTP/1.1\r\nhost: localhost\r\n\r\n");
        connection.write_all(request.as_bytes()).await?;
        connection.flush().await?;
        let answer = read_answer(&mut connection).await?;
        self.idle.borrow_mut().push(connection);
        Ok(answer)
    }
}

async fn read_answer(connection: &mut BufStream<TcpStream>) -> io::Result<(u16, u64)> {
    let (mut status, mut length, mut line) = (None, 0, String::new());
    loop {
        line.clear();
        if connection.read_line(&mut line).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let text = line.trim_end();
        if let Some(rest) = text.strip_prefix("HTTP/1.1 ") {
            status = rest
                .split(' ')
                .next()
                .and_then(|number| number.parse().ok());
        } else if let Some(number) = text.strip_prefix("content-length: ") {
            length = number.parse().map_err(|_| io::ErrorKind::InvalidData)?;
        } else if text.is_empty() {
            break;
        }
    }
    let status = status.ok_or(io::ErrorKind::InvalidData)?;
    let read = tokio::io::copy(&mut connection.take(length), &mut tokio::io::sink()).await?;
    Ok((status, read))
}
