//! What the environment says is heard: region, proxies, certificates. And what others quote of a request is not repeated.

use crate::support::lab::{Done, finish};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};

/// A server that answers every request with 403 and the request's own headers, as some services do when a signature does
/// not match; and keeps the requests.
struct Echo {
    address: String,
    seen: Arc<Mutex<Vec<String>>>,
}

impl Echo {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let seen = Arc::new(Mutex::new(Vec::new()));
        let kept = seen.clone();
        // It ends with the test's process.
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let kept = kept.clone();
                std::thread::spawn(move || answer(stream, &kept));
            }
        });
        Self { address, seen }
    }

    fn requests(&self) -> String {
        self.seen.lock().unwrap().join("\n")
    }
}

fn answer(stream: TcpStream, kept: &Mutex<Vec<String>>) {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let mut stream = stream;
    loop {
        let (mut head, mut length) = (String::new(), 0);
        loop {
            let mut line = String::new();
            if reader.read_line(&mut line).unwrap_or(0) == 0 {
                return;
            }
            if let Some(value) = line.to_lowercase().strip_prefix("content-length:") {
                length = value.trim().parse().unwrap_or(0);
            }
            if line.trim().is_empty() {
                break;
            }
            head.push_str(&line);
        }
        let mut body = vec![0; length];
        if reader.read_exact(&mut body).is_err() {
            return;
        }
        kept.lock().unwrap().push(head.clone());
        let quoted = head.replace('&', "&amp;").replace('<', "&lt;");
        let error = format!("<Code>SignatureDoesNotMatch</Code><Message>{quoted}</Message>");
        let page = format!(
            "<ErrorResponse><Error>{error}</Error><Errors><Error>{error}</Error></Errors></ErrorResponse>"
        );
        let answer = format!(
            "HTTP/1.1 403 Forbidden\r\nContent-Type: text/xml\r\nContent-Length: {}\r\n\r\n{page}",
            page.len()
        );
        if stream.write_all(answer.as_bytes()).is_err() {
            return;
        }
    }
}

/// A folder of its own, and the deployer without anything of AWS or of proxies in its environment.
struct Bench(tempfile::TempDir);

impl Bench {
    fn new(config: &str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("deployer.toml"), config).unwrap();
        Self(dir)
    }

    fn run(&self, arguments: &[&str], environment: &[(&str, &str)]) -> Done {
        let mut command = Command::new(env!("CARGO_BIN_EXE_deployer"));
        for (key, _) in std::env::vars_os() {
            let name = key.to_string_lossy().to_uppercase();
            if name.starts_with("AWS_") || name.starts_with("DEPLOYER_") || name.ends_with("_PROXY")
            {
                command.env_remove(&key);
            }
        }
        command
            .args(arguments)
            .current_dir(self.0.path())
            .env("HOME", self.0.path())
            .env("AWS_ACCESS_KEY_ID", "ASIACANARYKEYCANARYK")
            .env("AWS_SECRET_ACCESS_KEY", "test")
            .env("AWS_EC2_METADATA_DISABLED", "true")
            .envs(environment.iter().copied())
            .stdin(Stdio::null());
        finish(&mut command)
    }
}

/// The regions that requests were signed for.
fn signed_for(requests: &str, region: &str) -> bool {
    let scopes: Vec<&str> = requests
        .lines()
        .filter(|l| l.contains("Credential="))
        .collect();
    assert!(!scopes.is_empty(), "{requests}");
    scopes.iter().all(|l| l.contains(&format!("/{region}/")))
}

#[test]
fn the_region_is_that_of_flag_file_environment_and_profile_in_this_order() {
    let aws = "[default]\nregion = ap-south-1\n[profile other]\nregion = eu-north-1\n";
    type Case<'a> = (
        &'a str,
        &'a [&'a str],
        &'a [(&'a str, &'a str)],
        &'a str,
        &'a str,
    );
    let cases: [Case<'_>; 6] = [
        (
            "region = \"eu-west-1\"\n",
            &["--region", "us-west-2"],
            &[("AWS_REGION", "us-east-1")],
            "us-west-2",
            "--region",
        ),
        (
            "region = \"eu-west-1\"\n",
            &[],
            &[("AWS_REGION", "us-east-1")],
            "eu-west-1",
            "AWS_REGION says us-east-1",
        ),
        (
            "",
            &[],
            &[
                ("AWS_REGION", "us-east-1"),
                ("AWS_DEFAULT_REGION", "us-east-2"),
            ],
            "us-east-1",
            "AWS_REGION",
        ),
        (
            "",
            &[],
            &[("AWS_DEFAULT_REGION", "us-east-2")],
            "us-east-2",
            "AWS_DEFAULT_REGION",
        ),
        (
            "",
            &[],
            &[("AWS_PROFILE", "other")],
            "eu-north-1",
            "profile `other`",
        ),
        ("", &[], &[], "ap-south-1", "profile `default`"),
    ];
    for (config, flags, environment, region, _) in cases {
        let bench = Bench::new(config);
        std::fs::create_dir(bench.0.path().join(".aws")).unwrap();
        std::fs::write(bench.0.path().join(".aws/config"), aws).unwrap();
        let echo = Echo::start();
        let endpoint = format!("http://{}", echo.address);
        let environment = [environment, &[("AWS_ENDPOINT_URL", endpoint.as_str())]].concat();
        bench
            .run(&[&["plan"], flags].concat(), &environment)
            .expect(1);
        let requests = echo.requests();
        assert!(signed_for(&requests, region), "{region}: {requests}");
    }
    let bench = Bench::new("");
    let wrong = bench
        .run(&["graph"], &[("AWS_REGION", "not a region")])
        .expect(3);
    assert!(wrong.err.contains("AWS_REGION"), "{}", wrong.err);
}

#[test]
fn a_proxy_is_used_for_what_is_far_and_never_for_this_machine() {
    let proxy = Echo::start();
    let url = format!("http://{}", proxy.address);
    let bench = Bench::new("");
    let far = ("AWS_ENDPOINT_URL", "http://aws.example.invalid");
    for name in ["HTTP_PROXY", "http_proxy"] {
        bench.run(&["plan"], &[far, (name, &url)]).expect(1);
    }
    let seen = proxy.requests();
    assert_eq!(
        seen.matches("POST http://aws.example.invalid/").count(),
        seen.matches("POST ").count(),
        "{seen}"
    );
    assert!(seen.contains("POST http://aws.example.invalid/"), "{seen}");
    // A tunnel for what is encrypted; the proxy does not make one here.
    let secure = ("AWS_ENDPOINT_URL", "https://aws.example.invalid");
    bench
        .run(&["plan"], &[secure, ("HTTPS_PROXY", &url)])
        .expect(1);
    assert!(
        proxy.requests().contains("CONNECT aws.example.invalid:443"),
        "{}",
        proxy.requests()
    );
    let near = Echo::start();
    let before = proxy.requests();
    let endpoint = format!("http://{}", near.address);
    let both = [
        ("AWS_ENDPOINT_URL", endpoint.as_str()),
        ("HTTP_PROXY", &url),
        ("ALL_PROXY", &url),
    ];
    bench.run(&["plan"], &both).expect(1);
    assert_eq!(proxy.requests(), before);
    assert!(near.requests().contains("POST / "), "{}", near.requests());
}

#[test]
fn a_bundle_of_certificates_that_cannot_be_used_is_named() {
    let bench = Bench::new("");
    let endpoint = ("AWS_ENDPOINT_URL", "https://127.0.0.1:9");
    let absent = bench
        .run(&["plan"], &[endpoint, ("AWS_CA_BUNDLE", "/nowhere/ca.pem")])
        .expect(1);
    assert!(
        absent.err.contains("AWS_CA_BUNDLE names `/nowhere/ca.pem`"),
        "{}",
        absent.err
    );
    let path = bench.0.path().join("ca.pem");
    std::fs::write(&path, "no certificate").unwrap();
    let empty = bench
        .run(
            &["plan"],
            &[endpoint, ("AWS_CA_BUNDLE", path.to_str().unwrap())],
        )
        .expect(1);
    assert!(empty.err.contains("holds no certificate"), "{}", empty.err);
}

#[test]
fn what_a_server_quotes_of_a_request_is_not_repeated() {
    let echo = Echo::start();
    let endpoint = format!("http://{}", echo.address);
    let bench = Bench::new("");
    let environment = [
        ("AWS_ENDPOINT_URL", endpoint.as_str()),
        ("AWS_SESSION_TOKEN", "CANARYsession/token+with=signs"),
    ];
    for arguments in [
        &["plan"][..],
        &["plan", "--json", "-vv"],
        &["drift", "--json", "-vv", "--log-format", "json"],
        &["apply", "--yes", "--json", "-vv", "--timings", "page.html"],
        &["destroy", "--dry-run", "--json"],
    ] {
        let done = bench.run(arguments, &environment);
        assert_ne!(done.code, 0);
        let page = std::fs::read_to_string(bench.0.path().join("page.html")).unwrap_or_default();
        let said = format!("{}{}{page}", done.out, done.err);
        assert!(said.contains("log in again"), "{said}");
        for secret in ["CANARY", "Signature=", "Credential="] {
            assert!(!said.contains(secret), "{arguments:?}: {said}");
        }
    }
    assert!(
        echo.requests().contains("CANARYsession"),
        "the server saw no token"
    );
}
