//! What others have at the edge: records of our domain, a firewall on our balancer.

use super::GREEN;
use crate::support::lab::{Lab, same};
use serde_json::json;

#[test]
fn a_record_of_others_at_the_domain_is_named_and_nothing_is_written() {
    let lab = Lab::start();
    let change = |action: &str, set: &serde_json::Value| {
        let changes = json!([{"Action": action, "ResourceRecordSet": set}]);
        lab.python(&format!(
            "dns = c('route53')\nzone = dns.list_hosted_zones()['HostedZones'][0]['Id']\ndns.change_resource_record_sets(HostedZoneId=zone, ChangeBatch={{'Changes': {changes}}})"
        ));
    };
    let set = |kind: &str, value: &str| json!({"Name": "dev.sandbox.example", "Type": kind, "TTL": 60, "ResourceRecords": [{"Value": value}]});
    let plain = set("A", "192.0.2.7");
    // What a deployment of another suffix makes for the same domain.
    const OTHER: &str = "record-green-other.eu-central-1";
    let mut weighted = plain.clone();
    weighted["SetIdentifier"] = json!(OTHER);
    weighted["Weight"] = json!(100);
    for (theirs, whose) in [(plain, None), (weighted, Some(OTHER))] {
        change("CREATE", &theirs);
        let inventory = lab.inventory();
        let since = lab.mark();
        for command in [&["plan", "--env", "green"][..], GREEN] {
            let done = lab.run(command).expect(8);
            let reported = done.out + &done.err;
            for part in ["the A record of dev.sandbox.example", "`routing.domain`"]
                .into_iter()
                .chain(whose)
            {
                assert!(reported.contains(part), "{part}: {reported}");
            }
            assert_eq!(lab.writes(since), Vec::<String>::new(), "{command:?}");
        }
        same(&lab.inventory(), &inventory);
        change("DELETE", &theirs);
    }
    // These answer no client that looks for an address.
    change("CREATE", &set("TXT", "\"theirs\""));
    change("CREATE", &set("MX", "10 mail.sandbox.example."));
    lab.run(&["plan", "--env", "green"]).expect(2);
}

/// A record is ours by its identifier, whatever it says by now; one that only looks like ours is left.
#[test]
fn a_record_of_ours_that_says_something_else_goes_with_the_rest() {
    let lab = Lab::green();
    const THEIRS: &str = "validation-theirs-shared-dev.eu-central-1";
    let zone = "dns = c('route53')\nzone = dns.list_hosted_zones()['HostedZones'][0]['Id']\nall = dns.list_resource_record_sets(HostedZoneId=zone)['ResourceRecordSets']\n";
    lab.python(&format!(
        r#"{zone}
one = [r for r in all if r.get("SetIdentifier") == "validation-green-shared-dev.eu-central-1"][0]
one["ResourceRecords"] = [{{"Value": "theirs.example.org."}}]
sets = [one, one | {{"SetIdentifier": "{THEIRS}"}}]
dns.change_resource_record_sets(HostedZoneId=zone, ChangeBatch={{"Changes": [{{"Action": "UPSERT", "ResourceRecordSet": s}} for s in sets]}})
"#
    ));
    lab.run(&["destroy", "--yes", "--destroy-data"]).expect(0);
    let left = lab.python(&format!(
        "{zone}print(json.dumps([r['SetIdentifier'] for r in all if 'SetIdentifier' in r]))"
    ));
    let left: serde_json::Value = serde_json::from_str(left.trim()).unwrap();
    assert_eq!(left, json!([THEIRS]));
}

#[test]
fn a_web_acl_of_others_that_guards_our_balancer_is_named_and_never_replaced() {
    let lab = Lab::green();
    const THEIRS: &str = "guard-of-somebody-else";
    const GUARD: &str = r#"
waf, balancer = c("wafv2"), c("elbv2").describe_load_balancers(Names=["alb-green-dev"])["LoadBalancers"][0]["LoadBalancerArn"]
"#;
    let guard = || {
        let name = "print(waf.get_web_acl_for_resource(ResourceArn=balancer)['WebACL']['Name'])";
        lab.python(&format!("{GUARD}{name}")).trim().to_owned()
    };
    assert_eq!(guard(), "waf-green-dev");
    lab.python(&format!(
        r#"{GUARD}
view = {{"SampledRequestsEnabled": True, "CloudWatchMetricsEnabled": True, "MetricName": "theirs"}}
theirs = waf.create_web_acl(Name="{THEIRS}", Scope="REGIONAL", DefaultAction={{"Allow": {{}}}}, VisibilityConfig=view)["Summary"]["ARN"]
waf.disassociate_web_acl(ResourceArn=balancer)
waf.associate_web_acl(WebACLArn=theirs, ResourceArn=balancer)
"#
    ));
    let since = lab.mark();
    let refused = || {
        let done = lab.run(GREEN).expect(1);
        let reported = done.out + &done.err;
        for part in ["waf-association-green", THEIRS, "hint:"] {
            assert!(reported.contains(part), "{part}: {reported}");
        }
        assert_eq!(lab.writes(since), Vec::<String>::new());
        assert_eq!(guard(), THEIRS);
    };
    // With the association that is recorded, and without a state.
    refused();
    std::fs::remove_file(lab.dir.path().join("state/dev.json")).unwrap();
    refused();
    // Once it has been taken off, ours is back.
    lab.python(&format!(
        "{GUARD}waf.disassociate_web_acl(ResourceArn=balancer)"
    ));
    lab.run(GREEN).expect(0);
    assert_eq!(guard(), "waf-green-dev");
}
