//! A sandbox of one's own with the real binary beside it.

use super::forkserver::{self, Pattern, Sandbox};
use super::running::Running;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

/// How a command ended.
#[derive(Debug)]
pub struct Done {
    pub code: i32,
    pub out: String,
    pub err: String,
}

impl Done {
    /// The JSON document on standard output.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.out)
            .unwrap_or_else(|e| panic!("{e}: {}\n{}", self.out, self.err))
    }

    /// Fails the test with everything that was said unless the exit code is this one.
    #[track_caller]
    pub fn expect(self, code: i32) -> Self {
        assert_eq!(
            self.code, code,
            "stdout:\n{}\nstderr:\n{}",
            self.out, self.err
        );
        self
    }
}

impl From<forkserver::Ended> for Done {
    fn from((code, out, err): forkserver::Ended) -> Self {
        Self { code, out, err }
    }
}

/// An account and a state that labs begin with.
struct Applied {
    clean: Clean,
    state: BTreeMap<OsString, Vec<u8>>,
    pattern: Pattern,
}

/// What a run without faults begins with and makes.
pub struct Clean {
    /// The ids in the account before it.
    pub empty: String,
    /// The inventory after it.
    pub inventory: String,
}

static GREEN: OnceLock<Applied> = OnceLock::new();
static BOTH: OnceLock<Applied> = OnceLock::new();

/// A sandbox, a folder, and the deployer with its environment.
pub struct Lab {
    pub dir: tempfile::TempDir,
    pub endpoint: String,
    /// The access key that the deployer has, and its secret; without them it is the account's owner.
    pub keys: OnceLock<[String; 2]>,
    sandbox: Sandbox,
}

impl Lab {
    /// A fresh sandbox without latency. `run` settings are short, so that what must be waited for is short.
    pub fn start() -> Self {
        Self::with_latency("none")
    }

    /// A fresh sandbox with this latency, as `sandbox up` takes it.
    pub fn with_latency(latency: &str) -> Self {
        Self::within(|dir| Sandbox::start(latency, &dir.join("sandbox.log")))
    }

    /// A lab in which `apply --env green` has run: a copy of one that all tests share.
    pub fn green() -> Self {
        Self::after(green())
    }

    /// A lab in which `apply` of both environments has run: a copy of one that all tests share.
    pub fn both() -> Self {
        Self::after(BOTH.get_or_init(|| applied(&["apply", "--yes"])))
    }

    /// What `apply --env green` makes of an empty account.
    pub fn clean_green() -> &'static Clean {
        &green().clean
    }

    fn after(applied: &Applied) -> Self {
        let lab = Self::within(|dir| applied.pattern.copy(&dir.join("sandbox.log")));
        let folder = lab.dir.path().join("state");
        std::fs::create_dir(&folder).unwrap();
        for (name, bytes) in &applied.state {
            std::fs::write(folder.join(name), bytes).unwrap();
        }
        lab
    }

    /// The files of the state's folder.
    fn state(&self) -> BTreeMap<OsString, Vec<u8>> {
        let entries = std::fs::read_dir(self.dir.path().join("state")).unwrap();
        let files = entries
            .map(|entry| entry.unwrap())
            .filter(|entry| entry.file_type().unwrap().is_file());
        files
            .map(|file| (file.file_name(), std::fs::read(file.path()).unwrap()))
            .collect()
    }

    fn within(sandbox: impl FnOnce(&Path) -> Sandbox) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let config = "[run]\nconsistency_timeout_seconds = 3\ncall_timeout_seconds = 20\napi_limits = 1000\n";
        std::fs::write(dir.path().join("deployer.toml"), config).unwrap();
        let sandbox = sandbox(dir.path());
        Self {
            endpoint: sandbox.endpoint.clone(),
            keys: OnceLock::new(),
            dir,
            sandbox,
        }
    }

    /// The deployer in the lab's folder, with fake credentials and nothing else of AWS in its environment.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_deployer"));
        for (key, _) in std::env::vars_os() {
            let name = key.to_string_lossy();
            if (name.starts_with("AWS_") && name != "AWS_CA_BUNDLE")
                || name.starts_with("DEPLOYER_")
            {
                command.env_remove(&key);
            }
        }
        let [id, secret] = match self.keys.get() {
            Some([id, secret]) => [id.as_str(), secret],
            None => ["test"; 2],
        };
        command
            .args(arguments)
            .current_dir(self.dir.path())
            .env("AWS_ACCESS_KEY_ID", id)
            .env("AWS_SECRET_ACCESS_KEY", secret)
            .env("AWS_EC2_METADATA_DISABLED", "true")
            .env("AWS_ENDPOINT_URL", &self.endpoint)
            .stdin(Stdio::null());
        command
    }

    /// Runs the deployer to its end.
    pub fn run(&self, arguments: &[&str]) -> Done {
        finish(&mut self.command(arguments))
    }

    /// Starts the deployer.
    pub fn spawn(&self, arguments: &[&str]) -> Running {
        Running::start(&mut self.command(arguments))
    }

    /// A request to the sandbox's control path.
    pub fn control(&self, method: &str, path: &str, body: &Value) -> Value {
        let address = self.endpoint.trim_start_matches("http://");
        let mut stream = TcpStream::connect(address).unwrap();
        let body = body.to_string();
        let head = format!(
            "{method} /_sandbox/{path} HTTP/1.0\r\nHost: {address}\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        );
        stream.write_all(head.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        assert!(head.contains(" 200 "), "{answer}");
        serde_json::from_str(body).unwrap()
    }

    /// Sets faults (and forgets those before).
    pub fn faults(&self, faults: &Value) {
        self.control("PUT", "faults", faults);
    }

    /// The calls since the given number: what was asked, and how it was answered.
    pub fn calls(&self, since: u64) -> Vec<Value> {
        let all = self.control("GET", &format!("calls?since={since}"), &json!({}));
        all["calls"].as_array().cloned().unwrap_or_default()
    }

    /// The writes since the given number, as `service:Operation`.
    pub fn writes(&self, since: u64) -> Vec<String> {
        let all = self.control(
            "GET",
            &format!("calls?since={since}&write=true"),
            &json!({}),
        );
        let writes = all["calls"].as_array().into_iter().flatten();
        writes
            .map(|c| {
                format!(
                    "{}:{}",
                    c["service"].as_str().unwrap(),
                    c["operation"].as_str().unwrap()
                )
            })
            .collect()
    }

    /// The number of the last call.
    pub fn mark(&self) -> u64 {
        self.calls(0)
            .last()
            .map_or(0, |c| c["seq"].as_u64().unwrap_or(0))
    }

    /// Runs Python of the sandbox's installation with boto3 at hand; `c("ec2")` is a client of this lab.
    pub fn python(&self, script: &str) -> String {
        let prelude = format!(
            "import boto3, json, sys\ndef c(name): return boto3.client(name, endpoint_url={:?}, region_name='eu-central-1', aws_access_key_id='test', aws_secret_access_key='test')\n",
            self.endpoint
        );
        Done::from(forkserver::code(&(prelude + script), self.dir.path()))
            .expect(0)
            .out
    }

    /// Runs a Python script of the repository, with the endpoint as its first argument.
    pub fn script(&self, path: &str, arguments: &[&str]) -> Done {
        let arguments = [&[self.endpoint.as_str()], arguments].concat();
        forkserver::script(path, &arguments, self.dir.path()).into()
    }

    /// The whole account as text, ids replaced by names: two accounts that are alike have the same text.
    pub fn inventory(&self) -> String {
        self.tool(&[])
    }

    /// The ids of everything in the account.
    pub fn ids(&self) -> String {
        self.tool(&["--ids"])
    }

    /// The deployer's kinds: what shows each in the inventory, and how many of those there are.
    pub fn inventory_kinds(&self) -> BTreeMap<String, (String, usize)> {
        serde_json::from_str(&self.tool(&["--kinds"])).unwrap()
    }

    fn tool(&self, arguments: &[&str]) -> String {
        let script = "tests/sandbox/inventory.py";
        self.script(script, arguments).expect(0).out
    }

    /// Runs the deployer until a fault of this kind has struck, then kills it; `None` when it ended by itself first.
    pub fn killed_when(&self, struck: &str, arguments: &[&str]) -> Option<Done> {
        self.killed_after(struck, Duration::ZERO, arguments)
    }

    /// Runs the deployer until faults of this kind have struck and for `quiet` no further one has, then kills it: with
    /// every call in flight hanging, nothing is left that could strike. `None` when it ended by itself first.
    pub fn killed_after(&self, struck: &str, quiet: Duration, arguments: &[&str]) -> Option<Done> {
        let fired = || {
            let faults = self.control("GET", "faults", &json!({}));
            let fired = faults["fired"].as_array().into_iter().flatten();
            fired.filter(|f| f["fault"] == struck).count()
        };
        let before = fired();
        let mut child = self.spawn(arguments);
        let began = Instant::now();
        let mut last = (before, began);
        loop {
            let now = fired();
            if now != last.0 {
                last = (now, Instant::now());
            }
            if now > before && last.1.elapsed() >= quiet {
                child.kill();
                return None;
            }
            if child.has_ended() {
                return Some(child.ended());
            }
            if began.elapsed() > Duration::from_secs(300) {
                child.kill();
                let said = child.ended();
                let calls = self.calls(self.mark().saturating_sub(30));
                panic!("neither struck nor ended: {said:?}\n{calls:#?}");
            }
            std::thread::sleep(Duration::from_millis(60));
        }
    }
}

fn green() -> &'static Applied {
    GREEN.get_or_init(|| applied(&["apply", "--env", "green", "--yes"]))
}

/// Runs a command in a lab that becomes the pattern of others.
fn applied(command: &[&str]) -> Applied {
    let lab = Lab::start();
    let empty = lab.ids();
    lab.run(command).expect(0);
    Applied {
        clean: Clean {
            empty,
            inventory: lab.inventory(),
        },
        state: lab.state(),
        pattern: lab.sandbox.pattern(),
    }
}

/// Runs a command to its end.
pub fn finish(command: &mut Command) -> Done {
    Running::start(command).ended()
}

/// Fails with the lines that differ, not with two whole accounts.
#[track_caller]
pub fn same(have: &str, want: &str) {
    let (have_lines, want_lines): (Vec<&str>, Vec<&str>) =
        (have.lines().collect(), want.lines().collect());
    let pairs = have_lines.iter().zip(&want_lines);
    let at = pairs.into_iter().position(|(h, w)| h != w).unwrap_or(0);
    let around = |lines: &[&str]| {
        let end = (at + 6).min(lines.len());
        lines[at.saturating_sub(12).min(end)..end].join("\n")
    };
    assert!(
        have == want,
        "the account differs from a clean run's at line {at}:\n{}\nclean:\n{}",
        around(&have_lines),
        around(&want_lines)
    );
}
