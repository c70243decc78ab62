//! A client of the archive: connections that are used again, so many at most.

use std::{cell::RefCell, net::SocketAddr};

use anyhow::{Context, Result, bail, ensure};
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    net::TcpStream,
    sync::Semaphore,
};

/// The connections at once. Whoever wants one more waits.
const CONNECTIONS: usize = 64;

#[derive(Debug)]
pub(crate) struct Client {
    address: SocketAddr,
    idle: RefCell<Vec<BufReader<TcpStream>>>,
    places: Semaphore,
}

impl Client {
    /// Connects when there is something to ask.
    pub(crate) fn new(address: SocketAddr) -> Self {
        Self {
            address,
            idle: RefCell::default(),
            places: Semaphore::new(CONNECTIONS),
        }
    }

    pub(crate) async fn get(&self, row: usize) -> Result<String> {
        self.ask(format!("get {row}\n")).await
    }

    pub(crate) async fn put(&self, row: usize, answer: &str) -> Result<()> {
        let reply = self.ask(format!("put {row} {answer}\n")).await?;
        ensure!(reply.is_empty(), "the archive says {reply:?}");
        Ok(())
    }

    async fn ask(&self, request: String) -> Result<String> {
        let _place = self.places.acquire().await?;
        let idle = self.idle.borrow_mut().pop();
        let mut connection = match idle {
            Some(connection) => connection,
            None => self.connect().await.context("can't reach the archive")?,
        };
        // Not put back when it fails or this is dropped: half a reply may be on its way.
        let reply = exchange(&mut connection, &request).await;
        let reply = reply.context("the archive does not answer")?;
        self.idle.borrow_mut().push(connection);
        match reply.trim_end().split_at_checked(2) {
            Some(("ok", rest)) => Ok(rest.trim_start().to_owned()),
            _ => bail!("the archive says {reply:?}"),
        }
    }

    async fn connect(&self) -> Result<BufReader<TcpStream>> {
        let connection = TcpStream::connect(self.address).await?;
        connection.set_nodelay(true)?;
        Ok(BufReader::new(connection))
    }
}

async fn exchange(connection: &mut BufReader<TcpStream>, request: &str) -> Result<String> {
    connection.get_mut().write_all(request.as_bytes()).await?;
    let mut reply = String::new();
    connection.read_line(&mut reply).await?;
    ensure!(reply.ends_with('\n'), "it has hung up");
    Ok(reply)
}
