//! The service put to the test: clients ask, workers are killed meanwhile, and every answer must be the one of its own
//! document.
//!
//! [`service`] starts it, as a process of its own; [`client`] is a connection, [`clients`] are those that ask, each
//! [`document`] with what may become of it; [`kills`] kills workers; [`full`] fills the service up, [`counted`] is what it
//! says of itself, and [`tally`] counts and shows. [`compare`](mod@compare) is without kills.

mod client;
mod clients;
mod compare;
mod counted;
mod document;
mod full;
mod kills;
mod service;
mod tally;

use std::{process::ExitCode, time::Duration};

use anyhow::Result;
use tokio::time::Instant;

pub(crate) use self::compare::compare;
use self::{
    clients::Clients,
    counted::Counted,
    kills::Kills,
    service::Running,
    tally::{Checks, Part, Tally},
};
use crate::Args;

/// The clients at once.
const CLIENTS: [usize; 3] = [1, 8, 32];
/// Far longer than any part takes.
const NO_END: Duration = Duration::from_secs(3600);

/// Runs every part, prints what was found, and tells whether all of it is as it should be.
pub(crate) async fn run(args: &Args, time: Duration) -> Result<ExitCode> {
    let mut service = Running::start(args, args.by)?;
    let mut checks = Checks::default();
    let alone = clients::each_once(service.port).await?;
    let mut parts = Vec::new();
    for clients in CLIENTS {
        parts.push(under_load(&service, clients, time).await?);
    }
    let filled = full::fill(&service, args.places).await?;
    let counted = Counted::at_rest(service.port).await?;
    let (last, ended) = end_under_load(&mut service).await?;
    println!("{}", tally::table(&parts, &last));
    println!("{}", counted.in_short());

    let wrong = parts.iter().flat_map(|part| &part.tally.wrong);
    checks.none(
        "each document alone has the answer that it should",
        alone.iter(),
    );
    checks.none("all others too, while workers are killed", wrong);
    checks.that("every client got pages", parts.iter().all(Part::has_pages));
    checks.that(
        "workers were killed",
        parts.iter().any(|part| part.kills > 0),
    );
    checks.that(
        "a full service sheds, with a time to come again",
        filled.sheds,
    );
    checks.that("a full service is not ready", filled.is_unready);
    checks.that(
        "it is ready again when the clients have gone",
        filled.is_ready_again,
    );
    checks.that(
        "what it has counted adds up once all have ended",
        counted.adds_up(),
    );
    checks.none(
        "SIGTERM loses no answer, and makes none wrong",
        last.tally.wrong.iter(),
    );
    checks.that("connections were closed by word", last.tally.closed > 0);
    checks.that("it ends with exit code 0", ended.code == Some(0));
    checks.that("no process is left", ended.left.is_empty());
    Ok(checks.finish())
}

/// So many clients, for so long, while workers are killed.
async fn under_load(service: &Running, clients: usize, time: Duration) -> Result<Part> {
    let asking = Clients::start(service.port, clients, Instant::now() + time);
    let kills = Kills::start(service.pid(), asking.pages());
    let tally = asking.join().await?;
    Ok(Part {
        what: "",
        clients,
        kills: kills.stop().await?,
        tally,
    })
}

/// `SIGTERM` while everybody asks. Clients go on until they are refused.
async fn end_under_load(service: &mut Running) -> Result<(Part, service::Ended)> {
    let clients = CLIENTS[CLIENTS.len() - 1];
    let asking = Clients::start(service.port, clients, Instant::now() + NO_END);
    let kills = Kills::start(service.pid(), asking.pages());
    asking.all_have_asked().await;
    let kills = kills.stop().await?;
    service.terminate();
    let tally: Tally = asking.join().await?;
    let ended = service.ended().await?;
    let what = "SIGTERM";
    let part = Part {
        what,
        clients,
        kills,
        tally,
    };
    Ok((part, ended))
}
