//! The beginning of the service and its end, in which no request that has come in loses its answer.
//!
//! Loop: none of its own; `accept` waits for a connection or the end, and [`serve`] for the last connection or the end of
//! the grace. All of it is cancel-safe.
//!
//! On Ctrl-C or `SIGTERM`:
//! 1. The socket is closed: what is connected is accepted first, what comes now is refused by the system.
//! 2. From then on each answer says `connection: close`, and `/ready` says 503. Nobody who is told so can connect again, so
//!    no new connection is lost on the way.
//! 3. Connections that have nothing to ask may do so for a while (`linger`). Closed at once, one whose request is under way
//!    would be reset, and its client could not know whether that was read.
//! 4. When all connections are closed, or the grace is over, the pool or the hive is shut down: what still runs then is
//!    cancelled, and told as 503.

use std::{
    future::pending,
    io, iter,
    net::{self, SocketAddr},
    pin::pin,
    sync::Arc,
    time::Duration,
};

use anyhow::{Context, Result};
use axum::serve::Listener;
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{Semaphore, watch},
    time::{sleep, timeout},
};

use crate::{
    Args,
    rendering::Workers,
    routes::{Shared, router},
};

/// How long the answers to what was cancelled may take.
const LAST_ANSWERS: Duration = Duration::from_secs(1);

/// Serves until the end is asked for, and then until it is reached. No worker is left then.
pub(crate) async fn serve(args: &Args) -> Result<()> {
    let workers = Workers::start(args)?;
    let places = Arc::new(Semaphore::new(args.places));
    // Listened for before anybody can know that this process is there.
    let end = end_asked_for()?;
    let socket = TcpListener::bind(args.listen).await;
    let socket = socket.with_context(|| format!("can't listen at {}", args.listen))?;
    println!("listening on {}", socket.local_addr()?);
    let (tell, draining) = watch::channel(false);
    tokio::spawn(async move {
        end.await;
        tell.send_replace(true);
    });
    let (closed, is_closed) = watch::channel(false);
    let entrance = Entrance {
        socket: Some(socket),
        waiting: Vec::new(),
        end: draining,
        closed,
    };
    let shared = Shared {
        renderer: workers.renderer(&places, args.deadline()),
        counts: workers.counts(),
        places,
        draining: is_closed.clone(),
    };
    let lingered = after(is_closed.clone(), args.linger());
    let serving = axum::serve(entrance, router(shared)).with_graceful_shutdown(lingered);
    let serving = pin!(serving.into_future());
    end_workers(workers, serving, after(is_closed, args.grace())).await
}

/// Waits for the last connection, and ends the workers.
async fn end_workers(
    workers: Workers,
    mut serving: impl Future<Output = io::Result<()>> + Unpin,
    grace: impl Future<Output = ()>,
) -> Result<()> {
    let is_served = tokio::select! {
        served = &mut serving => {
            served?;
            true
        }
        () = grace => false,
    };
    let workers = workers.shutdown().await;
    if !is_served && timeout(LAST_ANSWERS, serving).await.is_err() {
        eprintln!("clients that do not take their answers are left");
    }
    println!(
        "ended {} the grace; {workers} workers were told to go",
        if is_served { "within" } else { "after" },
    );
    Ok(())
}

/// Becomes ready so long after it has become true.
async fn after(mut is_true: watch::Receiver<bool>, time: Duration) {
    // An error, when nobody can tell any more, comes to the same.
    let _ = is_true.wait_for(|&is_true| is_true).await;
    sleep(time).await;
}

/// Where connections come in, until the end is asked for.
struct Entrance {
    socket: Option<TcpListener>,
    /// What was connected when it was closed.
    waiting: Vec<(TcpStream, SocketAddr)>,
    end: watch::Receiver<bool>,
    /// Told when the socket is closed.
    closed: watch::Sender<bool>,
}

impl Listener for Entrance {
    type Io = TcpStream;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (TcpStream, SocketAddr) {
        if let Some(socket) = &mut self.socket {
            tokio::select! {
                // What was connected before the end goes first.
                biased;
                // Not the runtime's own, which fails where there are no descriptors for a moment.
                (stream, address) = Listener::accept(socket) => {
                    // Fails when the client has gone, which reading tells too.
                    let _ = stream.set_nodelay(true);
                    return (stream, address);
                }
                _ = self.end.wait_for(|&end| end) => {}
            }
            self.close();
        }
        match self.waiting.pop() {
            Some(connection) => connection,
            None => pending().await,
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        let socket = self.socket.as_ref();
        socket.map_or(
            Err(io::ErrorKind::NotConnected.into()),
            TcpListener::local_addr,
        )
    }
}

impl Entrance {
    /// Takes in what is connected already, and closes the socket. What is connected between the two, in microseconds, the
    /// system resets.
    fn close(&mut self) {
        if let Some(Ok(socket)) = self.socket.take().map(TcpListener::into_std) {
            let connected = iter::from_fn(|| socket.accept().ok());
            self.waiting = connected.filter_map(of_runtime).collect();
            stop_listening(socket);
        }
        self.closed.send_replace(true);
    }
}

/// Closes a socket, also where others have it: a worker that is just being started has all descriptors until it is the
/// program that it is to be, and for so long the system would take connections in, and then reset them.
fn stop_listening(socket: net::TcpListener) {
    #[cfg(unix)]
    {
        let socket = net::TcpStream::from(std::os::fd::OwnedFd::from(socket));
        // Fails where only closing ends it.
        let _ = socket.shutdown(net::Shutdown::Both);
    }
    #[cfg(not(unix))]
    drop(socket);
}

/// A connection of the system, as the runtime has it.
fn of_runtime((stream, address): (net::TcpStream, SocketAddr)) -> Option<(TcpStream, SocketAddr)> {
    stream.set_nonblocking(true).ok()?;
    Some((TcpStream::from_std(stream).ok()?, address))
}

/// Listens for what ends a service, and gives a future of it.
#[cfg(unix)]
fn end_asked_for() -> io::Result<impl Future<Output = ()> + Send> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}

/// Listens for what ends a service, and gives a future of it.
#[cfg(not(unix))]
fn end_asked_for() -> io::Result<impl Future<Output = ()> + Send> {
    Ok(async {
        let _ = tokio::signal::ctrl_c().await;
    })
}
