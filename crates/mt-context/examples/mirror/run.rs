//! The whole run: the listing in, files and digests out.

use std::{
    io::Write,
    path::PathBuf,
    time::{Instant, UNIX_EPOCH},
};

use anyhow::{Context as _, Result};
use futures::TryStreamExt;
use mt_context::{
    ContextConfig, create_context_vars,
    s3::S3Config,
    store::{ObjectUrl, Operation, StoreConfig},
};
use mt_pool::{Pmap, asyn_pmap};

use crate::{
    chaos::Victims,
    cli::Args,
    ledger::Ledger,
    samples,
    server::{KEYS, Server},
    show::{Show, Totals},
    task::{Folder, Object, mirror},
};

/// Where objects are, and how to get at them.
struct Source {
    s3: S3Config,
    url: String,
    /// The server in this process, and the samples' folder if nobody wants it any more.
    _own: Option<(Server, Option<tempfile::TempDir>)>,
}

/// Mirrors what `args` asks for. Returns how many objects are not mirrored.
///
/// # Errors
/// When nothing could be started, or the ledger or the output can't be written.
pub(crate) fn run(args: &Args) -> Result<u64> {
    let began = Instant::now();
    let source = source(args)?;
    let config = ContextConfig::new().store(StoreConfig::new().s3(source.s3));
    let mut ledger = Ledger::open(&args.into).with_context(|| {
        let into = args.into.display();
        format!("failed to make the folder {into}, or the list in it of what is mirrored")
    })?;
    let (mut current, mut missing) = (Vec::new(), Vec::new());
    for object in list(&config, &source.url)? {
        match ledger.current(&object) {
            Some(mirrored) => current.push((object, mirrored.clone())),
            None => missing.push(object),
        }
    }
    let mut show = Show::new(args, &missing);
    for (object, mirrored) in &current {
        show.is_current(&object.url, mirrored)?;
    }
    let victims = Victims::default();
    let objects = missing.clone();
    let outcomes = start(args, config, missing, &victims)?;
    let chaos = args.chaos.then(|| victims.clone().begin());
    let mut most_resident_bytes = 0;
    for (index, outcome) in outcomes.indexed() {
        let object = &objects[usize::try_from(index)?];
        if let Ok(mirrored) = &outcome {
            ledger.add(&object.url, mirrored)?;
        }
        show.outcome(object, outcome)?;
        most_resident_bytes = victims.most_resident_bytes().max(most_resident_bytes);
    }
    let kills = chaos.map(crate::chaos::Chaos::end);
    let totals = Totals {
        elapsed: began.elapsed(),
        kills,
        most_resident_bytes,
    };
    let failed = show.end(totals);
    std::io::stdout().flush()?;
    Ok(failed)
}

fn source(args: &Args) -> Result<Source> {
    if args.endpoint.is_none() && args.profile.is_none() {
        let kept = args.samples.clone();
        let temporary = match kept {
            None => Some(tempfile::tempdir()?),
            Some(_) => None,
        };
        let root = kept.or_else(|| Some(temporary.as_ref()?.path().to_owned()));
        let root = root.context("there is a folder either way")?;
        samples::make(&root, args.objects, args.largest).context("failed to make samples")?;
        let server = Server::start(&root).context("failed to start the server")?;
        let [id, secret] = KEYS;
        return Ok(Source {
            s3: S3Config::keys(id, secret).endpoint(server.endpoint()),
            url: format!("s3://{}/", samples::BUCKET),
            _own: Some((server, temporary)),
        });
    }
    let url = args
        .from
        .clone()
        .context("say which objects: --from s3://BUCKET/PREFIX")?;
    let mut s3 = match &args.profile {
        Some(name) => S3Config::profile(name),
        None => S3Config::default_profile(),
    };
    if let Some(endpoint) = &args.endpoint {
        s3 = s3.endpoint(endpoint);
    }
    Ok(Source {
        s3,
        url,
        _own: None,
    })
}

/// Everything there is below the prefix.
fn list(config: &ContextConfig, url: &str) -> Result<Vec<Object>> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let vars = create_context_vars(config).await?;
        let mut objects = Vec::new();
        let mut infos = vars.s3_client().list_objects(url)?;
        while let Some(info) = infos.try_next().await? {
            let place = ObjectUrl::parse(&info.url)?;
            anyhow::ensure!(
                place
                    .key()
                    .split('/')
                    .all(|part| part != ".." && !part.is_empty()),
                "failed to {} {}: no file can have that name",
                Operation::List,
                info.url
            );
            let since = info.modified.duration_since(UNIX_EPOCH).unwrap_or_default();
            objects.push(Object {
                url: info.url,
                version: format!("{} {}", info.etag.unwrap_or_default(), since.as_millis()),
                size_bytes: info.size_bytes,
                file: PathBuf::from(place.key()),
            });
        }
        Ok(objects)
    })
}

fn start(
    args: &Args,
    config: ContextConfig,
    missing: Vec<Object>,
    victims: &Victims,
) -> Result<Pmap<mirror>> {
    let victims = victims.clone();
    let run = asyn_pmap::<mirror>(missing)
        .context(config)
        .shared(Folder(args.into.clone()))
        .processes(args.workers)
        .max_concurrency(args.at_once)
        .ordered(false)
        // So that chaos gives no object up, and costs no more than what was under way.
        .crash_limit(if args.chaos { 1000 } else { 3 })
        .retries(2)
        .observe(move |event| victims.on_event(event));
    Ok(run.start()?)
}
