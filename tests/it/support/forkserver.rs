//! The process that the tests' sandboxes and scripts are forked from, see `tests/sandbox/forkserver.py`.

use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

/// How long the imports may take on a busy machine.
const START_TIMEOUT: Duration = Duration::from_secs(600);

/// The process; it ends when its standard input does, that is with this process.
struct Server {
    child: Mutex<Child>,
    socket: PathBuf,
}

fn server() -> &'static Server {
    static SERVER: OnceLock<Server> = OnceLock::new();
    SERVER.get_or_init(|| {
        // The process removes socket and folder when it ends.
        let socket = tempfile::tempdir().unwrap().keep().join("socket");
        let child = Command::new(python())
            .arg(repository().join("tests/sandbox/forkserver.py"))
            .arg(&socket)
            .stdin(Stdio::piped())
            .spawn()
            .unwrap();
        Server {
            child: Mutex::new(child),
            socket,
        }
    })
}

fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The Python of the sandbox's installation. The zips of the functions are built too: no test waits for that, or sees it said.
fn python() -> PathBuf {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        deployer::functions::built(&|_| ()).await.unwrap();
        deployer::sandbox::installed_python(&|_| ()).await.unwrap()
    })
}

/// A connection; the first one waits until the process listens.
fn connect() -> UnixStream {
    let server = server();
    let began = Instant::now();
    loop {
        match UnixStream::connect(&server.socket) {
            Ok(stream) => return stream,
            Err(error) => assert!(began.elapsed() < START_TIMEOUT, "{error}"),
        }
        let mut child = server.child.lock().unwrap_or_else(PoisonError::into_inner);
        let ended = child.try_wait().unwrap();
        assert!(ended.is_none(), "the fork server ended: {ended:?}");
        drop(child);
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// Sends a request and reads the answer's line.
fn ask(stream: &mut UnixStream, request: &Value) -> Value {
    stream.write_all(format!("{request}\n").as_bytes()).unwrap();
    let mut line = String::new();
    BufReader::new(stream).read_line(&mut line).unwrap();
    serde_json::from_str(&line).unwrap_or_else(|e| panic!("{e}: {line:?} to {request}"))
}

/// A sandbox of one's own: a fresh account that ends when this is dropped.
pub struct Sandbox {
    pub endpoint: String,
    connection: UnixStream,
}

impl Sandbox {
    /// Starts one with this latency; what it prints goes to the file.
    pub fn start(latency: &str, log: &Path) -> Self {
        let mut connection = connect();
        let seconds = deployer::resources::typical_seconds();
        let request = json!({"sandbox": {"latency": latency, "seconds": seconds, "log": log}});
        let answer = ask(&mut connection, &request);
        Self::at(&answer, connection)
    }

    /// Makes this sandbox the pattern of copies: from now on nobody calls it.
    pub fn pattern(mut self) -> Pattern {
        let socket = tempfile::tempdir().unwrap().keep().join("socket");
        ask(&mut self.connection, &json!({"copies": socket}));
        Pattern {
            socket,
            _sandbox: self,
        }
    }

    fn at(answer: &Value, connection: UnixStream) -> Self {
        Self {
            endpoint: format!("http://127.0.0.1:{}", answer["port"]),
            connection,
        }
    }
}

/// A sandbox whose account others begin with.
pub struct Pattern {
    socket: PathBuf,
    _sandbox: Sandbox,
}

impl Pattern {
    /// A sandbox of one's own that begins with a copy of the account.
    pub fn copy(&self, log: &Path) -> Sandbox {
        let mut connection = UnixStream::connect(&self.socket).unwrap();
        let answer = ask(&mut connection, &json!({"copy": {"log": log}}));
        Sandbox::at(&answer, connection)
    }
}

/// How a Python program ended: exit code, output, errors.
pub type Ended = (i32, String, String);

/// Runs a Python script of the repository.
pub fn script(path: &str, arguments: &[&str], folder: &Path) -> Ended {
    let path = repository().join(path);
    ended(&json!({"script": path, "arguments": arguments, "folder": folder}))
}

/// Runs a Python program given as text.
pub fn code(text: &str, folder: &Path) -> Ended {
    ended(&json!({"code": text, "arguments": [], "folder": folder}))
}

fn ended(request: &Value) -> Ended {
    let answer = ask(&mut connect(), request);
    let text = |v: &Value| v.as_str().unwrap().to_owned();
    let code = i32::try_from(answer["code"].as_i64().unwrap()).unwrap();
    (code, text(&answer["out"]), text(&answer["err"]))
}
