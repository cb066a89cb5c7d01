//! The sandbox as a process, and the Python suite that tests what is inside it.

use std::error::Error;
use std::net::TcpListener;
use std::path::Path;
use std::process::Command;

use deployer::sandbox::{self, UpOptions};

type Outcome = Result<(), Box<dyn Error>>;

fn options(folder: &Path) -> UpOptions {
    UpOptions {
        folder: folder.to_path_buf(),
        port: None,
        latency: None,
        seconds: deployer::resources::typical_seconds(),
        data_plane: None,
    }
}

fn quiet(_: &str) {}

#[tokio::test]
async fn up_twice_is_one_process_and_down_ends_it() -> Outcome {
    let folder = tempfile::tempdir()?;
    assert_eq!(sandbox::status(folder.path()).await?, None);
    assert_eq!(sandbox::down(folder.path()).await?, None);
    let first = sandbox::up(&options(folder.path()), &quiet).await?;
    let second = sandbox::up(&options(folder.path()), &quiet).await?;
    assert_eq!(first, second);
    assert_eq!(sandbox::status(folder.path()).await?, Some(first.clone()));
    assert_eq!(sandbox::down(folder.path()).await?, Some(first));
    assert_eq!(sandbox::status(folder.path()).await?, None);
    Ok(())
}

#[tokio::test]
async fn two_at_once_start_one() -> Outcome {
    let folder = tempfile::tempdir()?;
    let wanted = options(folder.path());
    let (first, second) = tokio::join!(sandbox::up(&wanted, &quiet), sandbox::up(&wanted, &quiet));
    let (first, second) = (first?, second?);
    sandbox::down(folder.path()).await?;
    assert_eq!(first, second);
    Ok(())
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_process_that_hangs_is_ended_all_the_same() -> Outcome {
    use rustix::process::{Pid, Signal, kill_process};
    let folder = tempfile::tempdir()?;
    let hung = sandbox::up(&options(folder.path()), &quiet).await?;
    let pid = Pid::from_raw(i32::try_from(hung.pid)?).ok_or("no pid")?;
    kill_process(pid, Signal::STOP)?;
    assert_eq!(sandbox::down(folder.path()).await?, Some(hung));
    assert_eq!(sandbox::down(folder.path()).await?, None);
    Ok(())
}

#[tokio::test]
async fn a_record_of_another_process_is_not_believed() -> Outcome {
    let folder = tempfile::tempdir()?;
    let first = sandbox::up(&options(folder.path()), &quiet).await?;
    let record = folder.path().join("sandbox.json");
    let text = std::fs::read_to_string(&record)?;
    // The pid now belongs to this test, as if the system had given it out again.
    std::fs::write(
        &record,
        text.replace(&first.pid.to_string(), &std::process::id().to_string()),
    )?;
    assert_eq!(sandbox::status(folder.path()).await?, None);
    assert_eq!(sandbox::down(folder.path()).await?, None);
    std::fs::write(&record, "{ torn")?;
    assert_eq!(sandbox::status(folder.path()).await?, None);
    let second = sandbox::up(&options(folder.path()), &quiet).await?;
    assert_ne!(first.pid, second.pid);
    sandbox::down(folder.path()).await?;
    std::fs::write(&record, text)?;
    assert_eq!(sandbox::down(folder.path()).await?, Some(first));
    Ok(())
}

#[tokio::test]
async fn a_taken_port_and_a_bad_latency_are_told() -> Outcome {
    let folder = tempfile::tempdir()?;
    let taken = TcpListener::bind("127.0.0.1:0")?;
    let port = taken.local_addr()?.port();
    let refused = sandbox::up(
        &UpOptions {
            port: Some(port),
            ..options(folder.path())
        },
        &quiet,
    )
    .await;
    let message = refused
        .err()
        .map(|error| error.to_string())
        .unwrap_or_default();
    assert!(message.contains(&port.to_string()), "{message}");
    let refused = sandbox::up(
        &UpOptions {
            latency: Some("aws/0".to_owned()),
            ..options(folder.path())
        },
        &quiet,
    )
    .await;
    let message = refused
        .err()
        .map(|error| error.to_string())
        .unwrap_or_default();
    assert!(message.contains("divisor"), "{message}");
    Ok(())
}

#[tokio::test]
async fn a_running_sandbox_takes_a_new_latency_but_no_new_port() -> Outcome {
    let folder = tempfile::tempdir()?;
    let first = sandbox::up(
        &UpOptions {
            latency: Some("aws/100".to_owned()),
            ..options(folder.path())
        },
        &quiet,
    )
    .await?;
    let same = sandbox::up(&options(folder.path()), &quiet).await?;
    let changed = sandbox::up(
        &UpOptions {
            latency: Some("0.5".to_owned()),
            ..options(folder.path())
        },
        &quiet,
    )
    .await?;
    let moved = sandbox::up(
        &UpOptions {
            port: Some(1),
            ..options(folder.path())
        },
        &quiet,
    )
    .await;
    sandbox::down(folder.path()).await?;
    assert_eq!(
        (
            first.latency.as_str(),
            same.latency.as_str(),
            changed.latency.as_str()
        ),
        ("aws/100", "aws/100", "0.5")
    );
    assert!(
        matches!(moved, Err(sandbox::Error::OtherPort { asked: 1, .. })),
        "{moved:?}"
    );
    Ok(())
}

#[tokio::test]
async fn the_emulator_keeps_to_the_rules_of_aws() -> Outcome {
    let python = sandbox::installed_python(&quiet).await?;
    let output = Command::new(python)
        .args(["-m", "unittest", "discover", "-s", "tests/sandbox"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()?;
    let printed = String::from_utf8_lossy(&output.stderr);
    // Python 3.11 can fail an import while it warns of a socket that nobody closed, so a warning is a failure too.
    assert!(
        output.status.success() && !printed.contains("ResourceWarning"),
        "{printed}"
    );
    Ok(())
}

/// The emulator asks by the deployer's kinds how long things take; one that no type has would be an error in mid-run.
#[test]
fn whatever_settles_has_the_seconds_of_a_type() -> Outcome {
    let known = deployer::resources::typical_seconds();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/sandbox/emulator");
    let mut files = vec![folder.join("tgw.py")];
    for entry in std::fs::read_dir(folder.join("patches"))? {
        files.push(entry?.path());
    }
    let mut found = 0;
    for file in files
        .iter()
        .filter(|f| f.extension().is_some_and(|e| e == "py"))
    {
        let text = std::fs::read_to_string(file)?;
        let literals = text.split('"').skip(1).step_by(2);
        let settles = |literal: &&str| {
            let service = literal.split_once('/').map(|(service, _)| service);
            service.is_some_and(|s| ["ec2", "rds", "dynamodb"].contains(&s))
        };
        for literal in literals.filter(settles) {
            let kind = literal.split(' ').next().unwrap_or_default();
            assert!(known.contains_key(kind), "{}: {literal}", file.display());
            found += 1;
        }
    }
    assert!(found > 0);
    Ok(())
}

/// The README's first command, and how the sandbox that it starts is looked at and stopped.
#[test]
fn a_command_starts_the_sandbox_that_it_needs() -> Outcome {
    let folder = tempfile::tempdir()?;
    let deployer = |arguments: &[&str]| {
        Command::new(env!("CARGO_BIN_EXE_deployer"))
            .args(arguments)
            .current_dir(folder.path())
            .env_remove("AWS_ENDPOINT_URL")
            .env("AWS_ACCESS_KEY_ID", "real")
            .env("AWS_SECRET_ACCESS_KEY", "real")
            .output()
    };
    let plan = deployer(&["plan", "--sandbox", "--json"])?;
    assert_eq!(plan.status.code(), Some(2), "{plan:?}");
    let status = deployer(&["sandbox", "status", "--json"])?;
    let status: serde_json::Value = serde_json::from_slice(&status.stdout)?;
    assert_eq!(status["running"], true);
    let down = deployer(&["sandbox", "down"])?;
    assert_eq!(down.status.code(), Some(0));
    let status = deployer(&["sandbox", "status", "--json"])?;
    let status: serde_json::Value = serde_json::from_slice(&status.stdout)?;
    assert_eq!(status["running"], false);
    Ok(())
}
