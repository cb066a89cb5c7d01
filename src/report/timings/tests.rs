use super::*;
use crate::engine::error::Error;
use crate::engine::event::Verb;

fn started(step: &str, kind: &str, needs: &[&str]) -> Event {
    Event::StepStarted {
        step: step.into(),
        kind: kind.into(),
        verb: Verb::Create,
        expected_seconds: 1.0,
        remaining_seconds: 1.0,
        needs: needs.iter().map(|n| (*n).into()).collect(),
    }
}

fn done(step: &str) -> Event {
    Event::StepDone {
        step: step.into(),
        verb: Verb::Create,
        seconds: 1.0,
    }
}

fn kept(events: &[(f64, Event)]) -> Kept {
    let mut kept = Kept {
        title: String::new(),
        began: Instant::now(),
        run: Run::default(),
    };
    events.iter().for_each(|(at, e)| kept.take(e, *at));
    kept
}

/// A VPC whose id is known after one second, a subnet that starts then, and a database that waits for the whole VPC.
fn small() -> Vec<(f64, Event)> {
    vec![
        (
            0.0,
            Event::RunStarted {
                steps: 3,
                critical_seconds: 9.0,
            },
        ),
        (0.0, started("vpc", "ec2/vpc", &[])),
        (1.0, Event::StepKnown { step: "vpc".into() }),
        (1.0, started("subnet", "ec2/subnet", &["vpc"])),
        (1.0, Event::StepSettling { step: "vpc".into() }),
        (2.0, done("subnet")),
        (4.0, done("vpc")),
        (4.5, started("db", "rds/cluster", &["vpc", "subnet"])),
        (10.0, done("db")),
        (10.0, Event::RunFinished { seconds: 10.0 }),
    ]
}

#[test]
fn the_critical_path_is_what_released_each_step_last() {
    let kept = kept(&small());
    let path: Vec<_> = kept
        .run
        .path()
        .iter()
        .map(|l| (kept.run.rows[l.row].step.clone(), l.from, l.start, l.to))
        .collect();
    assert_eq!(
        path,
        [("vpc".into(), 0.0, 0.0, 4.0), ("db".into(), 4.0, 4.5, 10.0)]
    );
}

#[test]
fn an_edge_that_needs_only_the_id_counts_from_the_moment_it_was_known() {
    let mut events = small();
    events.truncate(6);
    events[5] = (3.0, done("subnet"));
    events.push((2.5, done("vpc")));
    let kept = kept(&events);
    let path: Vec<_> = kept
        .run
        .path()
        .iter()
        .map(|l| (l.row, l.from, l.to))
        .collect();
    assert_eq!(path, [(0, 0.0, 1.0), (1, 1.0, 3.0)]);
}

#[test]
fn both_halves_of_a_replacement_are_rows() {
    let events = [
        (0.0, started("db", "rds/cluster", &[])),
        (2.0, done("db")),
        (2.0, started("db", "rds/cluster", &["db"])),
        (5.0, done("db")),
    ];
    let kept = kept(&events);
    let path: Vec<_> = kept
        .run
        .path()
        .iter()
        .map(|l| (l.row, l.from, l.to))
        .collect();
    assert_eq!(path, [(0, 0.0, 2.0), (1, 2.0, 5.0)]);
    assert_eq!(kept.run.rows[0].end, Some(2.0));
}

#[test]
fn concurrency_adds_up() {
    let kept = kept(&small());
    let series = kept.run.series();
    let slice = 10.0 / series.working.len() as f64;
    let sum = |all: &[f64]| (all.iter().sum::<f64>() * slice * 1000.0).round() / 1000.0;
    assert_eq!(
        (sum(&series.working), sum(&series.settling)),
        (1.0 + 1.0 + 5.5, 3.0)
    );
}

#[test]
fn calls_are_counted_by_operation_and_the_busiest_service_comes_first() {
    let call = |service, operation, outcome: &str| Event::Call {
        service,
        operation,
        write: true,
        seconds: 0.5,
        outcome: outcome.into(),
        throttled: outcome == "Throttling",
    };
    let kept = kept(&[
        (1.0, call("rds", "CreateDBCluster", "ok")),
        (1.0, call("ec2", "CreateVpc", "Throttling")),
        (2.0, call("ec2", "CreateVpc", "ok")),
        (2.0, call("ec2", "CreateSubnet", "ok")),
    ]);
    let all: Vec<_> = kept
        .run
        .operations()
        .iter()
        .map(|o| (o.operation.clone(), o.calls, o.throttled, o.errors))
        .collect();
    assert_eq!(
        all,
        [
            ("CreateVpc".into(), 2, 1, 1),
            ("CreateSubnet".into(), 1, 0, 0),
            ("CreateDBCluster".into(), 1, 0, 0)
        ]
    );
}

#[test]
fn nothing_in_the_data_can_end_the_script_and_nothing_is_loaded() {
    let timings = Timings::new("apply <b> & \"x\"");
    timings.take(&started(
        "</script><img src=x onerror=alert(1)>",
        "ec2/vpc",
        &[],
    ));
    timings.take(&Event::StepFailed {
        step: "</script><img src=x onerror=alert(1)>".into(),
        verb: Verb::Create,
        error: Error::permanent("x", "<!-- </SCRIPT> \u{2028}"),
        seconds: 1.0,
    });
    let page = timings.page();
    assert_eq!(page.matches("</script>").count(), 2);
    assert!(!page.contains("<img") && !page.contains("<!-- ") && !page.contains('\u{2028}'));
    assert!(page.contains("<title>apply &lt;b&gt; &amp; &quot;x&quot;</title>"));
    let urls = page.matches("http").count();
    assert_eq!(
        urls,
        page.matches("http-equiv").count() + page.matches("http://www.w3.org/2000/svg").count()
    );
}

#[test]
fn an_empty_run_has_a_page() {
    assert!(Timings::new("x").page().contains("\"path\":[]"));
}

#[tokio::test(start_paused = true)]
async fn calls_before_the_run_stand_before_zero() {
    let timings = Timings::new("x");
    let call = Event::Call {
        service: "ec2",
        operation: "DescribeVpcs",
        write: false,
        seconds: 0.5,
        outcome: "ok".into(),
        throttled: false,
    };
    tokio::time::advance(std::time::Duration::from_secs(2)).await;
    timings.take(&call);
    tokio::time::advance(std::time::Duration::from_secs(1)).await;
    timings.take(&Event::RunStarted {
        steps: 0,
        critical_seconds: 0.0,
    });
    assert!((timings.lock().run.calls[0].end + 1.0).abs() < 1e-6);
}

/// Writes a page of a made-up run of 160 steps to the file that `DEPLOYER_TIMINGS_SAMPLE` names, to be looked at.
#[test]
fn a_large_run_has_a_page() {
    let page = sample(160);
    assert!(page.len() < 400_000, "{}", page.len());
    if let Some(path) = std::env::var_os("DEPLOYER_TIMINGS_SAMPLE") {
        std::fs::write(path, page).unwrap();
    }
}

fn sample(steps: usize) -> String {
    let kinds = [
        ("ec2/subnet", 1.0),
        ("ec2/vpc", 1.0),
        ("ec2/security-group-rules", 2.0),
        ("s3/bucket", 1.0),
        ("rds/instance", 420.0),
        ("ec2/endpoint", 80.0),
        ("dynamodb/table", 15.0),
        ("iam/role", 2.0),
        ("kms/key", 1.0),
        ("logs/group", 0.7),
        ("ec2/transit-gateway", 90.0),
    ];
    let mut random = fastrand::Rng::with_seed(7);
    let mut events: Vec<(f64, Event)> = Vec::new();
    let mut ends: Vec<f64> = Vec::new();
    for at in 0..steps {
        let (kind, typical) = kinds[if at % 37 == 4 {
            4
        } else {
            random.usize(0..kinds.len())
        }];
        let needs: Vec<usize> = (0..random.usize(0..3))
            .filter(|_| at > 0)
            .map(|_| random.usize(at.saturating_sub(30)..at))
            .filter(|n| ends[*n] < 300.0)
            .collect();
        let start = needs.iter().map(|n| ends[*n]).fold(0.0, f64::max) + random.f64() * 0.4;
        let long = typical * (0.8 + random.f64() * 0.6);
        let step = format!("{}-{at}-green", kind.replace('/', "-"));
        let names: Vec<String> = needs
            .iter()
            .map(|n| {
                match &events
                    .iter()
                    .filter(|e| matches!(e.1, Event::StepStarted { .. }))
                    .nth(*n)
                    .unwrap()
                    .1
                {
                    Event::StepStarted { step, .. } => step.clone(),
                    _ => String::new(),
                }
            })
            .collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        events.push((start, started(&step, kind, &names)));
        events.push((start + 0.3, Event::StepKnown { step: step.clone() }));
        if long > 5.0 {
            events.push((start + 0.6, Event::StepSettling { step: step.clone() }));
        }
        for n in 0..random.usize(1..5) {
            let operation = [
                "DescribeVpcs",
                "CreateSubnet",
                "DescribeSubnets",
                "CreateTags",
                "ModifyVpcAttribute",
            ][n % 5];
            let throttled = random.f64() < 0.05;
            events.push((
                start + 0.2 * n as f64,
                Event::Call {
                    service: ["ec2", "rds", "s3", "iam"][at % 4],
                    operation,
                    write: n % 2 == 1,
                    seconds: 0.1 + random.f64() * 0.3,
                    outcome: if throttled {
                        "RequestLimitExceeded".into()
                    } else {
                        "ok".into()
                    },
                    throttled,
                },
            ));
        }
        if at == 90 {
            events.push((
                start + long,
                Event::StepFailed {
                    step,
                    verb: Verb::Create,
                    error: Error::permanent(
                        "ec2:CreateVpcEndpoint",
                        "You are not authorized to perform this operation.",
                    )
                    .code("UnauthorizedOperation"),
                    seconds: long,
                },
            ));
        } else {
            events.push((start + long, done(&step)));
        }
        ends.push(start + long);
    }
    events.sort_by(|a, b| a.0.total_cmp(&b.0));
    let mut kept = kept(&[(
        0.0,
        Event::RunStarted {
            steps: steps + 2,
            critical_seconds: 560.0,
        },
    )]);
    events.iter().for_each(|(at, e)| kept.take(e, *at));
    kept.take(
        &Event::StepBlocked {
            step: "route-x-green".into(),
            verb: Verb::Create,
            by: "ec2-endpoint-90-green".into(),
        },
        1.0,
    );
    page::page("deployer apply · suffix dev · eu-central-1", &kept.run)
}
