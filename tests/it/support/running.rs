//! A command that runs beside the test.

use super::lab::Done;
use std::process::{Child, Command};
use tempfile::NamedTempFile;

/// What it says goes into files: a pipe holds 64 KB, and whoever has said as much stops until somebody reads.
pub struct Running {
    child: Child,
    said: [NamedTempFile; 2],
}

impl Running {
    pub fn start(command: &mut Command) -> Self {
        let said = [(); 2].map(|()| NamedTempFile::new().unwrap());
        let [out, err] = said.each_ref().map(|file| file.reopen().unwrap());
        let child = command.stdout(out).stderr(err).spawn().unwrap();
        Self { child, said }
    }

    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Sends a signal, such as `-INT`.
    pub fn signal(&self, name: &str) {
        let pid = self.id().to_string();
        let sent = Command::new("kill").args([name, &pid]).status().unwrap();
        assert!(sent.success());
    }

    /// Ends it in the middle of whatever it does.
    pub fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    pub fn has_ended(&mut self) -> bool {
        self.child.try_wait().unwrap().is_some()
    }

    /// Standard output and standard error so far.
    pub fn said(&self) -> [String; 2] {
        let text = |file: &NamedTempFile| std::fs::read(file.path()).unwrap();
        let said = self.said.each_ref().map(text);
        said.map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
    }

    /// Waits for its end. One that was killed has the code -1.
    pub fn ended(mut self) -> Done {
        let code = self.child.wait().unwrap().code().unwrap_or(-1);
        let [out, err] = self.said();
        Done { code, out, err }
    }
}
