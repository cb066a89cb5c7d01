//! The texts, as each scheduler takes them: every special character is escaped by its own rules.

use super::super::quoted;
use std::fmt::Write;

/// What is run.
#[derive(Debug, Clone, Default)]
pub struct Check {
    /// The program, with its whole path: a scheduler has a short PATH.
    pub program: String,
    /// The folder in which configuration and local state are.
    pub folder: String,
    /// Who runs it.
    pub user: Option<String>,
    /// `drift` and its options.
    pub arguments: Vec<String>,
    pub suffix: String,
    pub region: String,
    /// The state is in local files.
    pub local_state: bool,
    /// Hours and minutes.
    pub at: (u8, u8),
}

/// A line of a crontab. cron mails whatever is printed, and with `--quiet` that is nothing when all is well. `%` would end
/// the command (crontab(5)).
pub fn cron(check: &Check) -> String {
    let words = std::iter::once(&check.program).chain(&check.arguments);
    let words: Vec<String> = words.map(|w| quoted(w)).collect();
    let command = format!(
        "cd {} && {} --quiet 2>&1",
        quoted(&check.folder),
        words.join(" ")
    );
    let (hour, minute) = check.at;
    format!(
        "# The drift of suffix {}: a mail with what differs, and none when all is well. Exit codes: 2 differences, 1 not everything was\n# looked at, 4 a run was going on.\n{minute} {hour} * * * {}\n",
        check.suffix,
        command.replace('%', "\\%")
    )
}

/// A service and its timer. A difference is a failed unit: `systemctl --failed` lists it, its log says what differs, and
/// `[notify]` in the configuration sends it.
pub fn systemd(check: &Check) -> Vec<(String, String)> {
    let name = format!("deployer-drift-{}", check.suffix);
    let words = std::iter::once(&check.program).chain(&check.arguments);
    let words: Vec<String> = words.map(|w| word(w)).collect();
    let mut service = format!(
        "[Unit]\nDescription=Drift of the deployment {}\nWants=network-online.target\nAfter=network-online.target\n\n[Service]\nType=oneshot\nWorkingDirectory={}\nExecStart={} --quiet\nNoNewPrivileges=yes\n",
        check.suffix,
        check.folder.replace('%', "%%"),
        words.join(" ")
    );
    if let Some(user) = &check.user {
        let _ = writeln!(service, "User={user}");
    }
    let (hour, minute) = check.at;
    let timer = format!(
        "[Unit]\nDescription=Drift of the deployment {} every night\n\n[Timer]\nOnCalendar=*-*-* {hour:02}:{minute:02}:00\nPersistent=yes\n\n[Install]\nWantedBy=timers.target\n",
        check.suffix
    );
    vec![
        (format!("{name}.service"), service),
        (format!("{name}.timer"), timer),
    ]
}

/// A word of ExecStart (systemd.service(5), "Command lines"; systemd.syntax(7), "Quoting").
fn word(text: &str) -> String {
    let escaped = text.replace('%', "%%").replace('$', "$$");
    let plain = |c: char| c.is_ascii_alphanumeric() || "_-./:=+,@%$".contains(c);
    if !text.is_empty() && text.chars().all(plain) {
        return escaped;
    }
    format!("\"{}\"", escaped.replace('\\', "\\\\").replace('"', "\\\""))
}

/// A workflow of GitHub Actions. A fresh checkout has no local state, so the tags of resources are trusted.
pub fn github(check: &Check) -> String {
    let words: Vec<String> = check.arguments.iter().map(|w| quoted(w)).collect();
    let no_state = if check.local_state { " --no-state" } else { "" };
    let (hour, minute) = check.at;
    format!(
        r#"# The drift of suffix {suffix}, every night. The repository needs a variable DEPLOYER_DRIFT_ROLE: the ARN of a role that GitHub may
# assume by OIDC, with the policy of `deployer permissions --read-only`.
name: drift
on:
  schedule:
    - cron: "{minute} {hour} * * *"
  workflow_dispatch:
permissions:
  contents: read
  id-token: write
concurrency: drift
jobs:
  drift:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v4
      - uses: actions/cache@v4
        with:
          path: target
          key: deployer-${{{{ hashFiles('Cargo.lock', 'src/**', 'lambda/**') }}}}
      - run: cargo build --release --locked
      - uses: aws-actions/configure-aws-credentials@v4
        with:
          role-to-assume: ${{{{ vars.DEPLOYER_DRIFT_ROLE }}}}
          aws-region: {region}
      - name: drift
        run: |
          code=0
          target/release/deployer {arguments}{no_state} --markdown > drift.md || code=$?
          cat drift.md >> "$GITHUB_STEP_SUMMARY"
          exit "$code"
"#,
        suffix = check.suffix,
        region = check.region,
        arguments = words.join(" "),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check() -> Check {
        Check {
            program: "/opt/my tools/deployer".into(),
            folder: "/srv/100% sure".into(),
            user: Some("ops".into()),
            arguments: ["drift", "--suffix", "prod", "--profile", "a$b"]
                .map(str::to_owned)
                .into(),
            suffix: "prod".into(),
            region: "eu-central-1".into(),
            local_state: true,
            at: (2, 5),
        }
    }

    #[test]
    fn a_crontab_has_no_bare_percent_sign_and_one_line_for_the_command() {
        let text = cron(&check());
        let line = text.lines().find(|l| !l.starts_with('#')).unwrap();
        assert_eq!(
            line,
            "5 2 * * * cd '/srv/100\\% sure' && '/opt/my tools/deployer' drift --suffix prod --profile 'a$b' --quiet 2>&1"
        );
    }

    #[test]
    fn a_unit_escapes_what_systemd_would_expand() {
        let files = systemd(&check());
        let [(name, service), (timer_name, timer)] = files.as_slice() else {
            panic!("{files:?}");
        };
        assert_eq!(name, "deployer-drift-prod.service");
        assert_eq!(timer_name, "deployer-drift-prod.timer");
        assert!(
            service.contains("WorkingDirectory=/srv/100%% sure\n"),
            "{service}"
        );
        assert!(
            service.contains(
                "ExecStart=\"/opt/my tools/deployer\" drift --suffix prod --profile a$$b --quiet\n"
            ),
            "{service}"
        );
        assert!(timer.contains("OnCalendar=*-*-* 02:05:00\n"), "{timer}");
    }

    #[test]
    fn a_workflow_trusts_tags_when_the_state_is_local() {
        let text = github(&check());
        assert!(text.contains("drift --suffix prod --profile 'a$b' --no-state --markdown"));
        assert!(
            text.contains("cron: \"5 2 * * *\"")
                && text.contains("${{ vars.DEPLOYER_DRIFT_ROLE }}")
        );
        let shared = Check {
            local_state: false,
            ..check()
        };
        assert!(!github(&shared).contains("--no-state"));
    }
}
