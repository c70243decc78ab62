//! Wine, with a folder of its own for what it takes for a disk, and what this Wine lacks put there.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use anyhow::{Context, Result, ensure};

use super::toolchain::{self, MINGW, OF_THE_OTHER, WINE, WINE_SERVER};
use crate::step;

const SHIM: &str = "xtask/src/platforms/bcryptprimitives.c";

/// A Wine that runs until this is dropped, and every process in it with it.
#[derive(Debug)]
pub(super) struct Wine {
    prefix: PathBuf,
}

impl Wine {
    /// Starts it. The first time that takes some seconds.
    pub(super) fn start() -> Result<Self> {
        let prefix = toolchain::folder().join("wine");
        let wine = Self { prefix };
        let system = wine.prefix.join("drive_c/windows/system32");
        let done = wine.prefix.join("made");
        if !done.exists() {
            fs::create_dir_all(&wine.prefix).context("failed to make a folder for Wine")?;
            run(WINE, wine.command(WINE).args(["wineboot", "--init"]))?;
            run(WINE_SERVER, wine.command(WINE_SERVER).arg("--wait"))?;
            let library = system.join("bcryptprimitives.dll");
            let mut compile = wine.command(MINGW);
            compile.args(["-shared", "-O1", "-o"]).arg(library);
            compile.arg(step::root().join(SHIM)).arg("-ladvapi32");
            let status = compile.status().context("failed to start the compiler")?;
            ensure!(status.success(), "{MINGW} ended with {status} for {SHIM}");
            fs::write(&done, "").context("failed to note that Wine's folder is made")?;
        }
        wine.wake()?;
        Ok(wine)
    }

    /// Starts the server and what else belongs to a system, so that no program does: these would have its output.
    fn wake(&self) -> Result<()> {
        // Else the server ends with the last program.
        run(WINE_SERVER, self.command(WINE_SERVER).arg("--persistent"))?;
        run(WINE, self.command(WINE).args(["cmd", "/c", "exit"]))
    }

    /// A program of Windows, to be run in a folder.
    pub(super) fn program(&self, program: &Path, folder: &Path) -> Command {
        let mut command = self.command(WINE);
        command.arg(program).current_dir(folder);
        command
    }

    /// Ends every process, and starts anew.
    pub(super) fn restart(&self) -> Result<()> {
        self.end_all();
        self.wake()
    }

    fn end_all(&self) {
        // When none is left, that is an error of the server's.
        let _ = run(WINE_SERVER, self.command(WINE_SERVER).arg("--kill"));
        let _ = run(WINE_SERVER, self.command(WINE_SERVER).arg("--wait"));
    }

    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        for name in OF_THE_OTHER.into_iter().chain(["DISPLAY"]) {
            command.env_remove(name);
        }
        command
            .env("WINEPREFIX", &self.prefix)
            .env("WINESERVER", WINE_SERVER)
            .env("WINEDEBUG", "-all")
            // No desktop menus, no .NET, no browser: nothing of these is asked for.
            .env("WINEDLLOVERRIDES", "winemenubuilder.exe,mscoree,mshtml=d")
            .stdin(Stdio::null());
        command
    }
}

/// Runs it. What it starts may stay, so nothing of it is waited for but its own end.
fn run(name: &str, command: &mut Command) -> Result<()> {
    let quiet = command.stdout(Stdio::null()).stderr(Stdio::null());
    let status = quiet.status();
    let status = status.with_context(|| format!("failed to start {name}"))?;
    ensure!(status.success(), "{name} ended with {status}");
    Ok(())
}

impl Drop for Wine {
    fn drop(&mut self) {
        self.end_all();
    }
}
