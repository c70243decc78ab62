//! Downloads in worker processes that are killed.

use std::{fs, process, sync::Arc};

use mt_context::{ContextConfig, ContextVars, http::HttpError};
use mt_pool::{asyn_pmap, task};
use mt_test_kit::{Folder, Signal, alone, name_of, signal, test_with};
use serde::{Deserialize, Serialize};
use tokio::sync::Notify;

use crate::{
    server::{Reply, Server},
    sessions::config,
};

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Wanted {
    url: String,
    folder: Folder,
}

#[task]
async fn fetch(#[context] vars: &ContextVars, wanted: Wanted) -> Result<u64, HttpError> {
    wanted.folder.note("pids", process::id().into());
    let request = vars.http_session().get(&wanted.url);
    Ok(request.download(wanted.folder.file("a")).await?.bytes)
}

fn in_folder<F: FnOnce(&Folder)>(test: F) {
    alone(name_of::<F>(), || test(&Folder::temp()));
}

/// Case C50: A worker that is killed in the middle of a download leaves no part of it under the file's name, and its successor
/// downloads all of it.
#[test_with(in_folder)]
fn a_worker_that_is_killed_leaves_no_half_file(folder: &Folder) {
    const BYTES: usize = 4 << 20;
    let never = Arc::new(Notify::new());
    let server_folder = folder.clone();
    let server = Server::start(move |asked| {
        let reply = Reply::ok(vec![7; BYTES]);
        match asked.number {
            0 => reply.hang_after(BYTES / 2, &never),
            _ => {
                // Looked at before the second download has sent anything.
                let name = if server_folder.exists("a") {
                    "whole"
                } else {
                    "none"
                };
                assert!(server_folder.first(name));
                reply
            }
        }
    });
    let wanted = Wanted {
        url: server.url.clone(),
        folder: folder.clone(),
    };
    let config = ContextConfig::new().http(config());
    let run = asyn_pmap::<fetch>([wanted])
        .context(config)
        .processes(1)
        .start()
        .unwrap();
    // What has come of it is more than a buffer, and so in the file.
    let part = folder.file(".a.part");
    mt_test_kit::wait_until(|| fs::metadata(&part).is_ok_and(|part| part.len() > BYTES as u64 / 4));
    assert!(!folder.exists("a"));
    let [pid] = folder.noted("pids").try_into().unwrap();
    signal(pid as u32, Signal::KILL);
    let outcomes: Vec<_> = run.into_iter().collect();
    assert_eq!(*outcomes[0].as_ref().unwrap(), BYTES as u64);
    assert_eq!(folder.noted("pids").len(), 2);
    assert!(folder.exists("none") && !folder.exists("whole"));
    assert_eq!(fs::read(folder.file("a")).unwrap(), vec![7; BYTES]);
    assert!(!folder.exists(".a.part"));
}
