//! An S3 server in this process: each bucket is a folder below its root, each object a file.

use std::{
    io,
    net::{Ipv4Addr, SocketAddr},
    path::Path,
};

use hyper_util::{
    rt::{TokioExecutor, TokioIo},
    server::conn::auto::Builder,
};
use s3s::{
    auth::SimpleAuth,
    service::{S3Service, S3ServiceBuilder},
};
use s3s_fs::FileSystem;
use tokio::{
    net::TcpListener,
    runtime::{self, Runtime},
};

/// Who may come in.
pub(crate) const KEYS: [&str; 2] = ["AKIAMIRROR", "secret-of-the-mirror"];

/// A server on the loopback, in threads of its own, until it is dropped.
pub(crate) struct Server {
    address: SocketAddr,
    runtime: Option<Runtime>,
}

impl Server {
    /// Starts one over a folder that is there.
    pub(crate) fn start(root: &Path) -> io::Result<Self> {
        let files =
            FileSystem::new(root).map_err(|error| io::Error::other(format!("{error:?}")))?;
        let mut builder = S3ServiceBuilder::new(files);
        let [id, secret] = KEYS;
        builder.set_auth(SimpleAuth::from_single(id, secret));
        let service = builder.build();
        let runtime = runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .thread_name("s3-server")
            .enable_all()
            .build()?;
        let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let address = listener.local_addr()?;
        listener.set_nonblocking(true)?;
        let listener = {
            let _entered = runtime.enter();
            TcpListener::from_std(listener)?
        };
        runtime.spawn(accept(listener, service));
        Ok(Self {
            address,
            runtime: Some(runtime),
        })
    }

    /// Where it is.
    pub(crate) fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

async fn accept(listener: TcpListener, service: S3Service) {
    while let Ok((socket, _)) = listener.accept().await {
        let service = service.clone();
        tokio::spawn(async move {
            let http = Builder::new(TokioExecutor::new());
            // A client that goes away is no business of the server's.
            let _ = http.serve_connection(TokioIo::new(socket), service).await;
        });
    }
}
