//! The archive: a server on this machine that has the records of the rows and keeps the answers, as a database
//! or an object store would.
//!
//! The archive takes a line and answers with one, as often as the client likes: `get ROW`, or `put ROW ANSWER`. Putting
//! an answer twice does no harm: a row whose bee died may be stored again.

use std::{
    io,
    net::{Ipv4Addr, SocketAddr},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    net::{TcpListener, TcpStream},
    task::{JoinHandle, JoinSet},
    time::sleep,
};

/// Closed when dropped.
#[derive(Debug)]
pub(crate) struct Archive {
    pub(crate) address: SocketAddr,
    shelves: Arc<Shelves>,
    server: JoinHandle<()>,
}

#[derive(Debug)]
struct Shelves {
    records: Vec<String>,
    /// How long it takes to find or store anything.
    latency: Duration,
    kept: Mutex<Kept>,
}

/// What has come in.
#[derive(Debug, Default)]
struct Kept {
    answers: Vec<Option<String>>,
    /// How often each row's record was asked for, and its answer stored.
    asked: Vec<[u32; 2]>,
}

impl Archive {
    /// Opens it, on a port of its own. Needs a tokio runtime.
    ///
    /// # Errors
    /// The system's.
    pub(crate) async fn open(records: Vec<String>, latency: Duration) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let kept = Kept {
            answers: vec![None; records.len()],
            asked: vec![[0; 2]; records.len()],
        };
        let shelves = Arc::new(Shelves {
            records,
            latency,
            kept: Mutex::new(kept),
        });
        let server = tokio::spawn(serve(listener, Arc::clone(&shelves)));
        Ok(Self {
            address,
            shelves,
            server,
        })
    }

    /// The answer that is kept for a row.
    pub(crate) fn answer(&self, row: usize) -> Option<String> {
        self.shelves.lock().answers.get(row).cloned().flatten()
    }

    /// The requests that were made before: by tasks that were begun again.
    pub(crate) fn repeated(&self) -> u64 {
        let kept = self.shelves.lock();
        let times = kept.asked.iter().flatten();
        times.map(|&times| u64::from(times.saturating_sub(1))).sum()
    }
}

impl Drop for Archive {
    fn drop(&mut self) {
        self.server.abort();
    }
}

async fn serve(listener: TcpListener, shelves: Arc<Shelves>) {
    let mut clients = JoinSet::new();
    loop {
        // What fails here is the client's connection, or passes.
        if let Ok((client, _)) = listener.accept().await {
            clients.spawn(attend(client, Arc::clone(&shelves)));
        }
        while clients.try_join_next().is_some() {}
    }
}

/// A client that is gone in the middle of something is no trouble of the archive's.
async fn attend(client: TcpStream, shelves: Arc<Shelves>) -> io::Result<()> {
    client.set_nodelay(true)?;
    let mut client = BufReader::new(client);
    let mut line = String::new();
    while client.read_line(&mut line).await? > 0 {
        sleep(shelves.latency).await;
        let mut reply = shelves.reply(line.trim_end());
        reply.push('\n');
        client.get_mut().write_all(reply.as_bytes()).await?;
        line.clear();
    }
    Ok(())
}

impl Shelves {
    fn reply(&self, request: &str) -> String {
        let done = match request.splitn(3, ' ').collect::<Vec<_>>()[..] {
            ["get", row] => self.get(row),
            ["put", row, answer] => self.put(row, answer),
            _ => None,
        };
        done.unwrap_or_else(|| format!("error no such row or request: {request}"))
    }

    fn get(&self, row: &str) -> Option<String> {
        let row: usize = row.parse().ok()?;
        let record = self.records.get(row)?;
        self.lock().asked[row][0] += 1;
        Some(format!("ok {record}"))
    }

    fn put(&self, row: &str, answer: &str) -> Option<String> {
        let row: usize = row.parse().ok()?;
        let mut kept = self.lock();
        *kept.answers.get_mut(row)? = Some(answer.to_owned());
        kept.asked[row][1] += 1;
        Some("ok".to_owned())
    }

    /// Nothing panics under the lock.
    fn lock(&self) -> std::sync::MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
