//! A server on a thread of its own: it reads `GET /number`, thinks, and answers.

use std::{io, net::TcpListener, thread, time::Duration};

use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufStream},
    net::TcpStream,
    time::sleep,
};

/// Starts it. It goes with the process.
///
/// # Errors
/// The system's, when there is no port or no thread to be had.
pub(crate) fn start(think: Duration) -> io::Result<u16> {
    let listener = TcpListener::bind(("127.0.0.1", 0))?;
    listener.set_nonblocking(true)?;
    let port = listener.local_addr()?.port();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    thread::Builder::new()
        .name("server".into())
        .spawn(move || {
            let served = runtime.block_on(serve(listener, think));
            if let Err(error) = served {
                eprintln!("the server stops: {error}");
            }
        })?;
    Ok(port)
}

async fn serve(listener: TcpListener, think: Duration) -> io::Result<()> {
    let listener = tokio::net::TcpListener::from_std(listener)?;
    loop {
        let (connection, _) = listener.accept().await?;
        // Ends when the client hangs up, in whichever way.
        tokio::spawn(async move {
            let _ = converse(BufStream::new(connection), think).await;
        });
    }
}

async fn converse(mut connection: BufStream<TcpStream>, think: Duration) -> io::Result<()> {
    while let Some(id) = read_request(&mut connection).await? {
        sleep(think).await;
        let (status, body) = match id {
            id if id % 1000 == 999 => ("500 Internal Server Error", String::new()),
            id if id % 10 == 3 => ("404 Not Found", String::new()),
            id => ("200 OK", format!("page {id}\n")),
        };
        let length = body.len();
        let answer = format!("HTTP/1.1 {status}\r\ncontent-length: {length}\r\n\r\n{body}");
        connection.write_all(answer.as_bytes()).await?;
        connection.flush().await?;
    }
    Ok(())
}

/// The number that is asked for; `None` when the client has hung up.
async fn read_request(connection: &mut BufStream<TcpStream>) -> io::Result<Option<u64>> {
    let (mut id, mut line) = (None, String::new());
    loop {
        line.clear();
        if connection.read_line(&mut line).await? == 0 {
            return Ok(None);
        }
        if let Some(rest) = line.strip_prefix("GET /") {
            let number = rest.split(' ').next().unwrap_or_default();
            id = Some(number.parse().map_err(|_| io::ErrorKind::InvalidData)?);
        } else if line.trim_end().is_empty() {
            return id.map(Some).ok_or(io::ErrorKind::InvalidData.into());
        }
    }
}
