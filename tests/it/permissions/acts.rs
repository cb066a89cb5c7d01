//! What is done with a platform in its life, in acts that each begin with an account of their own. Together they need every
//! statement of the policy.

use super::holder::{Judged, hold_parts, judged};
use crate::support::lab::Lab;
use crate::traffic::load::Load;
use serde_json::Value;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// An act: an account to begin with, and what is done there. It panics when something does not end as it should.
pub struct Act {
    pub name: &'static str,
    begin: fn() -> Lab,
    play: fn(&Lab),
}

pub const ACTS: &[Act] = &[
    Act {
        name: "made",
        begin: Lab::start,
        play: |lab| {
            lab.run(&["apply", "--yes"]).expect(0);
            lab.run(&["plan"]).expect(0);
        },
    },
    Act {
        name: "looked at",
        begin: Lab::both,
        play: looked_at,
    },
    Act {
        name: "repaired",
        begin: Lab::both,
        play: repaired,
    },
    Act {
        name: "restored",
        begin: Lab::green,
        play: restored,
    },
    Act {
        name: "migrated",
        begin: crate::migrate::lab,
        play: crate::migrate::schema,
    },
    Act {
        name: "shifted",
        begin: crate::traffic::lab,
        play: shifted,
    },
    Act {
        name: "removed",
        begin: Lab::both,
        play: removed,
    },
];

impl Act {
    /// Plays it as a user with these statements, divided as managed policies must be.
    ///
    /// # Errors
    /// With what did not end as it should.
    pub fn with(&self, parts: &[Vec<Value>]) -> Result<Judged, String> {
        let lab = (self.begin)();
        hold_parts(&lab, parts);
        let played = catch_unwind(AssertUnwindSafe(|| (self.play)(&lab)));
        played.map_err(|cause| {
            let text = cause.downcast_ref::<String>().cloned();
            text.or_else(|| cause.downcast_ref::<&str>().map(|t| (*t).to_owned()))
                .unwrap_or_default()
        })?;
        Ok(judged(&lab))
    }
}

fn looked_at(lab: &Lab) {
    lab.run(&["drift"]).expect(0);
    lab.run(&["traffic", "status"]).expect(2);
    let page = lab.dir.path().join("evidence.html");
    let done = lab.run(&["report", "--json", "--out", page.to_str().unwrap()]);
    let report = done.expect(0).json();
    assert_eq!(report["inventory"]["recorded"], report["inventory"]["read"]);
    let doctor = lab.run(&["doctor", "--json"]).json();
    let findings = doctor["findings"].as_array().unwrap().iter();
    let rights: Vec<&Value> = findings.filter(|f| f["about"] == "permissions").collect();
    assert_eq!(rights[0]["verdict"], "ok", "{rights:#?}");
}

/// A prefix list of another hand in green's routes, and other DHCP options.
const STRANGE: &str = r#"
ec2 = c("ec2")
vpc = ec2.describe_vpcs(Filters=[{"Name": "tag:Name", "Values": ["vpc-green-dev"]}])["Vpcs"][0]["VpcId"]
options = ec2.create_dhcp_options(DhcpConfigurations=[{"Key": "domain-name", "Values": ["x.example"]}])["DhcpOptions"]["DhcpOptionsId"]
ec2.associate_dhcp_options(VpcId=vpc, DhcpOptionsId=options)
"#;

fn repaired(lab: &Lab) {
    lab.python(crate::requests::BY_HAND);
    lab.python(STRANGE);
    lab.run(&["drift", "--json"]).expect(2);
    lab.run(&["apply", "--yes"]).expect(0);
    lab.run(&["drift", "--json"]).expect(0);
}

/// The cluster is deleted and its automated backups stay.
const RETAINED: &str = r#"
import time
rds = c("rds")
for one in rds.describe_db_instances()["DBInstances"]:
    rds.delete_db_instance(DBInstanceIdentifier=one["DBInstanceIdentifier"], SkipFinalSnapshot=True)
time.sleep(1.1)
rds.delete_db_cluster(DBClusterIdentifier="aurora-green-dev", SkipFinalSnapshot=True, DeleteAutomatedBackups=False)
"#;

fn restored(lab: &Lab) {
    lab.python(crate::vanished::HAND);
    let apply = ["apply", "--env", "green", "--yes"];
    let words = [
        "--restore",
        "aurora-green=by-hand",
        "--restore",
        "sessions-*",
        "--make-empty",
        "compliance-docs-green",
    ];
    lab.run(&[&apply[..], &words].concat()).expect(0);
    lab.python(RETAINED);
    let plan = lab.run(&["plan", "--env", "green", "--json"]).expect(8);
    let at = plan.json()["vanished"][0]["backups"][0]["at"].clone();
    let word = format!("aurora-green={}", at.as_str().unwrap());
    lab.run(&[&apply[..], &["--restore", &word]].concat())
        .expect(0);
}

fn shifted(lab: &Lab) {
    let load = Load::new(lab, crate::traffic::RATE);
    load.during(|| {
        let shift = ["traffic", "shift", "--yes", "--steps", "50"];
        crate::traffic::run(lab, &load, &shift).expect(0);
    });
    crate::traffic::run(lab, &load, &["traffic", "rollback"]).expect(0);
    // Who still calls green is read from the log of its firewall.
    let status = crate::traffic::run(lab, &load, &["traffic", "status", "--json"]);
    assert!(!status.out.contains("AccessDenied"), "{}", status.out);
}

fn removed(lab: &Lab) {
    let keep = [
        "destroy",
        "--env",
        "green",
        "--yes",
        "--keep-snapshot",
        "--json",
    ];
    let document = lab.run(&keep).expect(0).json();
    let remove = document["remove_with"].as_str().unwrap().to_owned();
    let words: Vec<&str> = remove.split(' ').skip(1).chain(["--yes"]).collect();
    lab.run(&words).expect(0);
    lab.run(&["destroy", "--yes", "--destroy-data"]).expect(0);
}
