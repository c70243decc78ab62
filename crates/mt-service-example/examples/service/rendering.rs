//! What renders: [calls of a pool](by_pool), or [bees of a hive](by_hive). Either is a service of `tower` below the same
//! layers, and the routes see no difference.

mod by_hive;
mod by_pool;

use std::{sync::Arc, time::Duration};

use anyhow::Result;
use mt_beehive::{Dispatch, Hive, RunningHive};
use mt_pool::Pool;
use tokio::sync::Semaphore;
use tower::{
    BoxError, Service, ServiceBuilder, limit::GlobalConcurrencyLimitLayer,
    util::BoxCloneSyncService,
};

use self::by_hive::Bee;
use crate::{Args, By, answer::Failed, metrics};

/// Documents in, HTML out.
pub(crate) type Renderer = BoxCloneSyncService<String, String, BoxError>;

/// The processes that render.
pub(crate) enum Workers {
    Pool(Pool),
    Hive(RunningHive<Hive<Bee>>),
}

/// What is asked how much they have done.
#[derive(Clone)]
pub(crate) enum Counts {
    Pool(Pool),
    Hive(Hive<Bee>),
}

impl Workers {
    pub(crate) fn start(args: &Args) -> Result<Self> {
        Ok(match args.by {
            By::Pool => Self::Pool(by_pool::start(args)?),
            By::Hive => Self::Hive(by_hive::start(args, Dispatch::Auction)?),
            By::HiveByCredit => Self::Hive(by_hive::start(args, Dispatch::Credit)?),
        })
    }

    /// Renders as many documents at once as there are places; what finds none is an error at once.
    pub(crate) fn renderer(&self, places: &Arc<Semaphore>, deadline: Duration) -> Renderer {
        match self {
            Self::Pool(pool) => limited(by_pool::service(pool, deadline), places),
            Self::Hive(hive) => limited(by_hive::service(hive, deadline), places),
        }
    }

    pub(crate) fn counts(&self) -> Counts {
        match self {
            Self::Pool(pool) => Counts::Pool(pool.clone()),
            Self::Hive(hive) => Counts::Hive(Hive::clone(hive)),
        }
    }

    /// Cancels what still runs, and ends them. Returns how many there were; none is left.
    pub(crate) async fn shutdown(self) -> usize {
        match self {
            Self::Pool(pool) => pool.shutdown(Duration::ZERO).await.workers,
            Self::Hive(hive) => hive.shutdown_within(Duration::ZERO).await.bees,
        }
    }
}

impl Counts {
    /// For a scrape.
    pub(crate) async fn metrics(&self, places_free: usize) -> String {
        match self {
            Self::Pool(pool) => metrics::of_pool(places_free, &pool.stats()),
            Self::Hive(hive) => {
                metrics::of_hive(places_free, &hive.stats().await, &hive.bees().await)
            }
        }
    }
}

fn limited<S>(renders: S, places: &Arc<Semaphore>) -> Renderer
where
    S: Service<String, Response = String, Error = Failed> + Clone + Send + Sync + 'static,
    S::Future: Send + 'static,
{
    let places = GlobalConcurrencyLimitLayer::with_semaphore(Arc::clone(places));
    let layers = ServiceBuilder::new().load_shed().layer(places);
    BoxCloneSyncService::new(layers.service(renders))
}
