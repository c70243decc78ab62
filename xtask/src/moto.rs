//! The tests of mt-context's store once more, against the S3 server of moto (PyPI): another implementation, so that what holds
//! is the protocol's, and not one server's.
//!
//! Python installs it below `target`, once for each list of requirements.

use std::{
    fs,
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use anyhow::{Context, Result, ensure};

use crate::{
    findings,
    step::{self, Step},
};

/// The server's program and what it needs.
const SOURCES: &str = "crates/mt-context/tests/moto";
/// What tells the tests where the server is.
const ENDPOINT: &str = "MT_TEST_S3_ENDPOINT";

/// The step of `cargo xtask test --with-moto`.
pub(crate) fn step() -> Step {
    Step::call("store tests against moto", run)
}

fn run() -> Result<()> {
    let python = environment()?;
    let server = Server::start(&python)?;
    // The example `mirror` has a server of its own.
    // Of the workspace, though one package has it: otherwise the features of what it needs are others than the tests before
    // had, and all is built once more.
    let mut tests = step::cargo("test --workspace --test store -- --skip mirror::");
    tests.env(ENDPOINT, &server.endpoint);
    let status = findings::run(tests)?;
    ensure!(status.success(), "cargo ended with {status}");
    Ok(())
}

/// The Python of a virtual environment that has the requirements, made if need be.
fn environment() -> Result<PathBuf> {
    let wanted = step::root().join(SOURCES).join("requirements.txt");
    let wanted = fs::read_to_string(wanted).context("failed to read the requirements")?;
    let folder = step::target().join("moto");
    let (python, installed) = (folder.join("bin/python"), folder.join("requirements.txt"));
    if fs::read_to_string(&installed).is_ok_and(|it| it == wanted) {
        return Ok(python);
    }
    eprintln!("moto: installing it below {}, once", folder.display());
    let mut make = Command::new("python3");
    make.args(["-m", "venv"]).arg(&folder);
    succeed(make, "python3 with its module venv is needed")?;
    let mut pip = Command::new(&python);
    pip.args([
        "-m",
        "pip",
        "install",
        "--quiet",
        "--disable-pip-version-check",
        "-r",
    ]);
    pip.arg(step::root().join(SOURCES).join("requirements.txt"));
    succeed(pip, "moto can't be installed")?;
    fs::write(installed, wanted).context("failed to note what is installed")?;
    Ok(python)
}

fn succeed(mut command: Command, what: &'static str) -> Result<()> {
    let status = command.stdin(Stdio::null()).status().context(what)?;
    ensure!(status.success(), "{what}: it ended with {status}");
    Ok(())
}

/// The server, which ends with its standard input.
struct Server {
    child: Child,
    endpoint: String,
}

impl Server {
    fn start(python: &Path) -> Result<Self> {
        let mut command = Command::new(python);
        command.arg(step::root().join(SOURCES).join("server.py"));
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        // What it says of requests that tests let fail is of no interest.
        let mut child = command
            .stderr(Stdio::null())
            .spawn()
            .context("failed to start moto")?;
        let mut endpoint = String::new();
        let out = child.stdout.take().context("its output is piped")?;
        BufReader::new(out)
            .read_line(&mut endpoint)
            .context("failed to read moto's address")?;
        let endpoint = endpoint.trim().to_owned();
        let server = Self { child, endpoint };
        ensure!(
            !server.endpoint.is_empty(),
            "moto has ended before it had an address"
        );
        Ok(server)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        // One that does not end by that does so here.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
