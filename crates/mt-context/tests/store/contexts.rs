//! Contexts where tasks have them: in runs, works, calls and bees.

use std::rc::Rc;

use mt_beehive::{BeehiveError, hive_of};
use mt_context::{ContextConfig, ContextVars, create_context_vars};
use mt_pool::{
    Pool, asyn_pmap, task,
    works::{Progress, asyn_work_generator, progress_queue, run_asyn_works_in_context},
};
use mt_test_kit::{test_with, watchdog};

use crate::{alone, bed::Bed};

/// How many bytes an object has.
async fn size(vars: &ContextVars, url: &str) -> Result<u64, String> {
    let info = vars.s3_client().list_object_info(url).await;
    info.map(|info| info.size_bytes)
        .map_err(|error| error.to_string())
}

#[task]
async fn size_of(#[context] vars: &ContextVars, url: String) -> Result<u64, String> {
    size(vars, &url).await
}

#[task]
async fn size_of_work(
    #[context] vars: &ContextVars,
    #[shared] base: &String,
    id: u64,
) -> Result<u64, String> {
    size(vars, &format!("{base}{id}")).await
}

struct Sizes {
    vars: ContextVars,
}

#[mt_beehive::worker]
impl Sizes {
    async fn new(config: ContextConfig) -> Result<Self, String> {
        let vars = create_context_vars(&config).await;
        vars.map(|vars| Self { vars })
            .map_err(|error| error.to_string())
    }

    #[task]
    async fn size(&self, url: String) -> Result<u64, String> {
        size(&self.vars, &url).await
    }
}

/// A server whose object `n` has `n` bytes.
async fn sizes(objects: u64) -> Bed {
    let bed = Bed::new();
    let store = bed.store().await;
    for n in 0..objects {
        let url = bed.url(&n.to_string());
        store
            .put_object(&url, vec![b'x'; n as usize])
            .await
            .unwrap();
    }
    bed
}

/// Case C70: The same config makes the same context for runs, works in workers and in this process, calls and bees, for every
/// batch.
#[test_with(alone)]
fn one_config_is_for_all_kinds_of_tasks() {
    const OBJECTS: u64 = 20;
    let _watchdog = watchdog("contexts");
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let bed = sizes(OBJECTS).await;
        let (config, base) = (bed.config(), bed.url(""));
        let urls: Vec<String> = (0..OBJECTS).map(|n| bed.url(&n.to_string())).collect();
        let wanted: Vec<u64> = (0..OBJECTS).collect();

        let inputs = urls.clone();
        let run = asyn_pmap::<size_of>(inputs)
            .context(config.clone())
            .batch_size(3)
            .processes(2);
        let sizes = tokio::task::spawn_blocking(|| {
            let run = run.start().unwrap();
            run.into_iter().map(Result::unwrap).collect::<Vec<u64>>()
        });
        assert_eq!(sizes.await.unwrap(), wanted);

        let works = asyn_work_generator::<size_of_work>(OBJECTS).shared(base.clone());
        let works = works.context(config.clone()).num_processes(2);
        let sizes = tokio::task::spawn_blocking(|| {
            let works = works.start().unwrap();
            works
                .into_iter()
                .map(|(_, size)| size.unwrap())
                .sum::<u64>()
        });
        assert_eq!(sizes.await.unwrap(), wanted.iter().sum::<u64>());
        in_this_process(&bed, OBJECTS).await;
        by_calls_and_bees(&bed, &urls).await;
    });
}

/// Works in this process have what they should have.
async fn in_this_process(bed: &Bed, objects: u64) {
    let (config, base) = (bed.config(), bed.url(""));
    let wanted: u64 = (0..objects).sum();
    let (progress, mut messages) = progress_queue(64);
    let works = run_asyn_works_in_context::<size_of_work>(progress).shared(base);
    let vars = Rc::new(create_context_vars(&config).await.unwrap());
    let works = works.context_vars(vars).work_id_list(0..objects);
    let watch = async {
        let mut sum = 0;
        while let Some(message) = messages.next().await {
            if let Progress::TaskReturned { value, .. } = message {
                sum += value;
            }
        }
        sum
    };
    let (counts, sum) = futures::join!(works.run(), watch);
    assert_eq!((counts.unwrap().raised, sum), (0, wanted));
}

/// Calls of a pool and bees have what they should have.
async fn by_calls_and_bees(bed: &Bed, urls: &[String]) {
    let config = bed.config();
    let pool = Pool::builder().processes(1).start().unwrap();
    let prepared = pool
        .task::<size_of>()
        .context(config.clone())
        .prepare()
        .unwrap();
    for url in &urls[..3] {
        let size = prepared.call(url.clone()).await.unwrap();
        assert_eq!(bed.url(&size.to_string()), *url);
    }

    let hive = hive_of::<Sizes>(config).processes(2);
    let sizes = hive.run(async |hive| {
        let mut sum = 0;
        for url in urls {
            sum += hive.size(url.clone()).await.unwrap();
        }
        Ok::<u64, BeehiveError>(sum)
    });
    assert_eq!(sizes.await.unwrap(), (0..urls.len() as u64).sum::<u64>());
}

/// Case C71: A context that can't be made is the outcome of its items, and says why: here that there is no such profile.
#[test_with(alone)]
fn a_profile_that_is_not_there_is_the_outcome() {
    let _watchdog = watchdog("no profile");
    let config = ContextConfig::new().s3_profile("nobody-has-this-profile");
    let run = asyn_pmap::<size_of>(["s3://b/k".to_owned()])
        .context(config)
        .processes(1);
    let outcomes: Vec<_> = run.start().unwrap().into_iter().collect();
    let error = outcomes[0].as_ref().unwrap_err();
    assert!(
        error.to_string().contains("nobody-has-this-profile"),
        "{error}"
    );
}
