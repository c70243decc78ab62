//! Clients that ask one thing after the other.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed},
    },
    time::Duration,
};

use anyhow::Result;
use tokio::{
    sync::Notify,
    task::JoinSet,
    time::{Instant, sleep},
};

use super::{client::Client, document::Document, tally::Tally};

/// How long the one with the bad documents rests between them.
const REST: Duration = Duration::from_millis(50);

/// Many that ask for what is good without a rest, and one that asks for all that is bad.
pub(crate) struct Clients {
    asking: JoinSet<Tally>,
    seen: Arc<Seen>,
}

/// Asks for each document once, one after the other. Returns what was wrong.
pub(crate) async fn each_once(port: u16) -> Result<Vec<String>> {
    let mut client = Client::connect(port).await?;
    let mut wrong = Vec::new();
    for document in [Document::Good].into_iter().chain(Document::BAD) {
        let answer = client.ask("POST", "/render", document.text()).await?;
        println!("{document:?}: {} {}", answer.status, answer.body.trim_end());
        if answer.status != document.status() {
            wrong.push(format!("{document:?}: {}", answer.status));
        }
    }
    Ok(wrong)
}

/// What is seen of them while they ask.
#[derive(Debug, Default)]
struct Seen {
    pages: Arc<AtomicU64>,
    /// Clients without an answer so far.
    silent: AtomicUsize,
    none_is_silent: Notify,
}

impl Clients {
    pub(crate) fn start(port: u16, good: usize, until: Instant) -> Self {
        let mut clients = Self::good(port, good, until);
        let seen = Arc::clone(&clients.seen);
        seen.silent.fetch_add(1, Relaxed);
        let asking = ask(port, &Document::BAD, REST, until, seen);
        clients.asking.spawn(asking);
        clients
    }

    /// Without the one.
    pub(crate) fn good(port: u16, good: usize, until: Instant) -> Self {
        let seen = Arc::new(Seen {
            silent: AtomicUsize::new(good),
            ..Seen::default()
        });
        let mut asking = JoinSet::new();
        for _ in 0..good {
            let seen = Arc::clone(&seen);
            asking.spawn(ask(port, &[Document::Good], Duration::ZERO, until, seen));
        }
        Self { asking, seen }
    }

    /// How many good documents were answered.
    pub(crate) fn pages(&self) -> Arc<AtomicU64> {
        Arc::clone(&self.seen.pages)
    }

    /// Waits until each has had an answer.
    pub(crate) async fn all_have_asked(&self) {
        self.seen.none_is_silent.notified().await;
    }

    /// Waits for the end of all.
    pub(crate) async fn join(mut self) -> Result<Tally> {
        let mut all = Tally::default();
        while let Some(tally) = self.asking.join_next().await {
            all.join(tally?);
        }
        Ok(all)
    }
}

/// Asks on one connection, and connects again when it is closed by word; until then, or until it is refused.
async fn ask(
    port: u16,
    documents: &'static [Document],
    rest: Duration,
    until: Instant,
    seen: Arc<Seen>,
) -> Tally {
    let mut tally = Tally::default();
    let mut connection = None;
    for &document in documents.iter().cycle() {
        if Instant::now() >= until {
            break;
        }
        let mut client = match connection.take() {
            Some(client) => client,
            None => match Client::connect(port).await {
                Ok(client) => client,
                Err(error) => {
                    tally.refused(error);
                    break;
                }
            },
        };
        let begun = Instant::now();
        match client.ask("POST", "/render", document.text()).await {
            Ok(answer) => {
                tally.answered(document, &answer, begun.elapsed());
                seen.answered(document, tally.answers());
                connection = (!answer.closes).then_some(client);
            }
            Err(error) => {
                tally.lost(document, &error);
                break;
            }
        }
        if !rest.is_zero() {
            sleep(rest).await;
        }
    }
    tally
}

impl Seen {
    fn answered(&self, document: Document, answers: u64) {
        if document == Document::Good {
            self.pages.fetch_add(1, Relaxed);
        }
        if answers == 1 && self.silent.fetch_sub(1, Relaxed) == 1 {
            self.none_is_silent.notify_one();
        }
    }
}
