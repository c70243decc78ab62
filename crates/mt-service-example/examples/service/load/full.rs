//! A service that is full: each place taken by a document that is rendered for ever.

use std::time::Duration;

use anyhow::Result;
use tokio::{
    sync::watch,
    task::JoinSet,
    time::{sleep, timeout},
};

use super::{
    client::{self, Answer, Client},
    document::Document,
    service::Running,
};

/// The requests more than there are places.
const MORE: usize = 8;
/// How long it may take until the service is full, and until its places are free again.
const PATIENCE: Duration = Duration::from_secs(20);
/// How often that is looked at, and how long a client waits until it asks again.
const REST: Duration = Duration::from_millis(5);

/// What was found.
pub(crate) struct Filled {
    /// Whether what had no place was told to come again, and when.
    pub(crate) sheds: bool,
    /// Whether it said that it was not ready meanwhile.
    pub(crate) is_unready: bool,
    /// Whether it was ready when the clients had gone.
    pub(crate) is_ready_again: bool,
}

/// Takes all places, looks, and goes away without waiting for an answer.
pub(crate) async fn fill(service: &Running, places: usize) -> Result<Filled> {
    let port = service.port;
    let (shed, mut is_shed) = watch::channel(None);
    let mut asking = JoinSet::new();
    for _ in 0..places + MORE {
        asking.spawn(ask_for_ever(port, shed.clone()));
    }
    let sheds = async {
        let says_when = is_shed.wait_for(Option::is_some).await;
        says_when.is_ok_and(|says_when| *says_when == Some(true))
    };
    let sheds = timeout(PATIENCE, sheds).await.unwrap_or(false);
    let is_unready = answers(port, "/ready", |answer| answer.status == 503).await;
    asking.shutdown().await;
    let free = format!("service_places_free {places}\n");
    let is_free = answers(port, "/metrics", |answer| answer.body.contains(&free)).await;
    let is_ready_again = is_free && client::get(port, "/ready").await?.status == 200;
    Ok(Filled {
        sheds,
        is_unready,
        is_ready_again,
    })
}

/// Takes a place, and another when that is over. Tells whether an answer that there is none says when to come again.
async fn ask_for_ever(port: u16, shed: watch::Sender<Option<bool>>) -> Result<()> {
    let mut client = Client::connect(port).await?;
    loop {
        let answer = client.ask("POST", "/render", Document::Endless.text());
        let answer = answer.await?;
        if answer.status == 503 {
            shed.send_replace(Some(answer.says_when));
            sleep(REST).await;
        }
    }
}

/// Whether the service gives such an answer in time.
async fn answers(port: u16, path: &str, is_it: impl Fn(&Answer) -> bool) -> bool {
    let asked = async {
        while !client::get(port, path)
            .await
            .is_ok_and(|answer| is_it(&answer))
        {
            sleep(REST).await;
        }
    };
    timeout(PATIENCE, asked).await.is_ok()
}
