//! Hosts of one team: each has its own host name, user and folder, and all of them share one state in a bucket.

use crate::support::lab::{Done, Lab};
pub use crate::support::places::BUCKET as PLACE;
use crate::support::places::USUAL;
use crate::support::running::Running;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::OnceLock;

/// A host in a lab.
pub struct Host<'a> {
    pub lab: &'a Lab,
    pub name: &'static str,
    pub folder: PathBuf,
}

/// How `unshare` gives a process a host name of its own: as root, or in a namespace of users.
fn namespaces() -> &'static [&'static str] {
    static FOUND: OnceLock<&[&str]> = OnceLock::new();
    FOUND.get_or_init(|| {
        let works = |arguments: &&&[&str]| {
            let tried = Command::new("unshare")
                .args(**arguments)
                .arg("true")
                .output();
            tried.is_ok_and(|output| output.status.success())
        };
        let ways: [&[&str]; 2] = [&["-u"], &["-r", "-u"]];
        let found = ways.iter().find(works);
        found.expect("`unshare -u` gives the hosts of this test their names")
    })
}

impl<'a> Host<'a> {
    /// A host whose configuration shares the lab's state, with more lines of it.
    pub fn new(lab: &'a Lab, name: &'static str, more: &str) -> Self {
        let folder = lab.dir.path().join(name);
        std::fs::create_dir_all(&folder).unwrap();
        let host = Self { lab, name, folder };
        host.configure(more);
        host
    }

    pub fn configure(&self, more: &str) {
        let text = format!("state = \"{PLACE}\"\n{USUAL}{more}");
        std::fs::write(self.folder.join("deployer.toml"), text).unwrap();
    }

    pub fn command(&self, arguments: &[&str]) -> Command {
        let usual = self.lab.command(arguments);
        let mut command = Command::new("unshare");
        command
            .args(namespaces())
            .args(["sh", "-c", "hostname \"$0\" && exec \"$@\"", self.name])
            .arg(usual.get_program())
            .args(usual.get_args())
            .current_dir(&self.folder)
            .stdin(Stdio::null());
        for (key, value) in usual.get_envs() {
            match value {
                Some(value) => command.env(key, value),
                None => command.env_remove(key),
            };
        }
        command.env("USER", format!("user-of-{}", self.name));
        command
    }

    pub fn spawn(&self, arguments: &[&str]) -> Running {
        Running::start(&mut self.command(arguments))
    }

    pub fn run(&self, arguments: &[&str]) -> Done {
        self.spawn(arguments).ended()
    }
}

/// Makes the bucket, and lets the lab's own folder share the state, too.
pub fn share(lab: &Lab) {
    let text = format!("state = \"{PLACE}\"\n{USUAL}");
    std::fs::write(lab.dir.path().join("deployer.toml"), text).unwrap();
    lab.run(&["state", "init", "--yes"]).expect(0);
}

/// The keys of the state's objects.
pub fn keys(lab: &Lab) -> Vec<String> {
    let keys = lab.python(
        r#"
pages = c("s3").get_paginator("list_objects_v2").paginate(Bucket="states-of-a-team")
print(*[o["Key"] for page in pages for o in page.get("Contents", [])], sep="\n")
"#,
    );
    keys.lines().map(str::to_owned).collect()
}
