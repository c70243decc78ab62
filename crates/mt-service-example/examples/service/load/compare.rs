//! The same load on each way to render, beside each other: calls of a pool and delegates of a hive, in short turns, so that
//! whatever else the machine does meanwhile befalls all alike.

use std::{process::ExitCode, time::Duration};

use anyhow::Result;
use comfy_table::{Table, presets};
use tokio::time::Instant;

use super::{
    CLIENTS,
    clients::Clients,
    counted::Counted,
    service::Running,
    tally::{Checks, Tally, quantile},
};
use crate::{Args, By};

/// How long one of them is under load before it is the next one's turn.
const TURN: Duration = Duration::from_millis(200);
/// What is compared: each with the first.
const WAYS: [By; 3] = [By::Pool, By::Hive, By::HiveByCredit];
/// The times that are compared, in milliseconds.
const FIGURES: [&str; 4] = ["rendering p50", "p99", "request p50", "p99"];

/// What the turns of one of them have come to: of each figure, one time a turn.
type Turns = [Vec<f64>; FIGURES.len()];

/// Runs the services under the same load, prints how long renderings and requests took, and tells whether a call of the
/// pool takes no longer than a delegate of the hive, and all are rendered without a further process.
pub(crate) async fn compare(args: &Args, time: Duration) -> Result<ExitCode> {
    let services = WAYS.map(|by| Running::start(args, by));
    let mut services = services.into_iter().collect::<Result<Vec<_>>>()?;
    let mut checks = Checks::default();
    for service in &services {
        turn(service, CLIENTS[CLIENTS.len() - 1]).await?;
    }
    let warm = workers_started(&services).await?;
    let turns = time.div_duration_f64(TURN).ceil() as usize;
    let mut table = Table::new();
    table.load_style(presets::UTF8_FULL_CONDENSED);
    let ratios = ["pool's / its rendering p50", "request p50"];
    let columns = ["clients", "by"].into_iter().chain(FIGURES).chain(ratios);
    table.set_header(columns);
    let mut wrong = Vec::new();
    for clients in CLIENTS {
        let mut found = WAYS.map(|_| Turns::default());
        for n in 0..turns {
            for way in (0..WAYS.len()).map(|way| (n + way) % WAYS.len()) {
                let tally = turn(&services[way], clients).await?;
                wrong.extend(tally.wrong.iter().cloned());
                add(&mut found[way], tally);
            }
        }
        let [pool, hive, _] = &found;
        let is_quicker = ratio(&pool[0], &hive[0]) <= 1.0;
        let what = format!("with {clients} clients a call's p50 is at most a delegate's");
        checks.that(&what, is_quicker);
        for (by, turns) in WAYS.iter().zip(&found) {
            table.add_row(row(clients, *by, pool, turns));
        }
    }
    println!("{table}");
    checks.none("every document is rendered", wrong.iter());
    let is_warm = workers_started(&services).await? == warm;
    checks.that("no process was started after the warm-up", is_warm);
    for service in &mut services {
        service.terminate();
        let ended = service.ended().await?;
        checks.that("it ends with exit code 0", ended.code == Some(0));
    }
    Ok(checks.finish())
}

async fn turn(service: &Running, clients: usize) -> Result<Tally> {
    let asking = Clients::good(service.port, clients, Instant::now() + TURN);
    asking.join().await
}

/// How many worker processes each service has started so far.
async fn workers_started(services: &[Running]) -> Result<Vec<u64>> {
    let mut started = Vec::new();
    for service in services {
        let counted = Counted::at_rest(service.port).await?;
        started.push(counted.workers_started());
    }
    Ok(started)
}

fn add(turns: &mut Turns, tally: Tally) {
    let times = [tally.renderings, tally.took].map(|mut times| {
        times.sort_unstable();
        [0.5, 0.99].map(|part| quantile(&times, part))
    });
    for (times, time) in turns.iter_mut().zip(times.into_iter().flatten()) {
        times.extend(time.map(|time| time.as_secs_f64() * 1e3));
    }
}

fn row(clients: usize, by: By, pool: &Turns, turns: &Turns) -> Vec<String> {
    let figures = turns.iter().map(|times| format!("{:.3}", median(times)));
    let ratios = [0, 2].map(|p50| format!("{:.2}", ratio(&pool[p50], &turns[p50])));
    let name = [clients.to_string(), by.name().to_owned()];
    name.into_iter().chain(figures).chain(ratios).collect()
}

/// The median of one turn by another, of those beside each other.
fn ratio(times: &[f64], others: &[f64]) -> f64 {
    let pairs = times.iter().zip(others);
    median(&pairs.map(|(time, other)| time / other).collect::<Vec<_>>())
}

fn median(of: &[f64]) -> f64 {
    let mut sorted = of.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    quantile(&sorted, 0.5).unwrap_or(f64::NAN)
}
