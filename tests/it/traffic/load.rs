//! Requests of customers, as CloudWatch would count them: each minute of a fast clock both sides get their share by the weights
//! that Route 53 has at that time.

use crate::support::lab::Lab;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// One of so many requests is slow, on both sides.
const SLOW_ONE_IN: u64 = 20;
const PER_MINUTE: u64 = 210;

/// What a side's metrics are named by.
struct Side {
    balancer: String,
    group: String,
}

/// The load on a lab.
pub struct Load<'a> {
    lab: &'a Lab,
    sides: [Side; 2],
    rate: f64,
    from: f64,
    /// One of so many of green's requests fails; 0 for none.
    pub bad_one_in: AtomicU64,
    stop: AtomicBool,
}

fn unix() -> f64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap()
        .as_secs_f64()
}

impl<'a> Load<'a> {
    /// Prepares it: blue had everything for an hour.
    pub fn new(lab: &'a Lab, rate: f64) -> Self {
        let text = std::fs::read_to_string(lab.dir.path().join("state/dev.json")).unwrap();
        let state: Value = serde_json::from_str(&text).unwrap();
        let end = |step: String| {
            let arn = state["steps"][&step]["outputs"]["arn"]
                .as_str()
                .unwrap()
                .to_owned();
            let last = arn.rsplit(':').next().unwrap();
            last.trim_start_matches("loadbalancer/").to_owned()
        };
        let sides = ["blue", "green"].map(|env| Side {
            balancer: end(format!("alb-{env}")),
            group: end(format!("tg-payment-api-{env}")),
        });
        let load = Self {
            lab,
            sides,
            rate,
            from: unix().floor(),
            bad_one_in: AtomicU64::new(0),
            stop: AtomicBool::new(false),
        };
        let minute = load.minute();
        load.count(0, (minute - 70..minute).map(|m| (m, PER_MINUTE, 0)));
        load
    }

    /// The value of `DEPLOYER_CLOCK_RATE`.
    pub fn clock(&self) -> String {
        format!("{}@{}", self.rate, self.from)
    }

    /// The second of the fast clock.
    pub fn now(&self) -> f64 {
        self.from + (unix() - self.from) * self.rate
    }

    /// The same load; from this moment on a minute is half a minute.
    pub fn slowly(self) -> Self {
        const RATE: f64 = 2.0;
        // At this rate the clock shows the same moment when it started as long ago as it is ahead.
        let from = (2.0 * unix() - self.now()).floor();
        Self {
            rate: RATE,
            from,
            ..self
        }
    }

    fn minute(&self) -> i64 {
        (self.now() / 60.0).floor() as i64
    }

    /// Runs `work` beside the load, which ends with it, also when it panics.
    pub fn during<T>(&self, work: impl FnOnce() -> T) -> T {
        struct Ends<'a>(&'a AtomicBool);
        impl Drop for Ends<'_> {
            fn drop(&mut self) {
                self.0.store(true, Ordering::Relaxed);
            }
        }
        std::thread::scope(|scope| {
            let _ends = Ends(&self.stop);
            scope.spawn(|| self.run());
            work()
        })
    }

    fn run(&self) {
        let mut minute = self.minute();
        while !self.stop.load(Ordering::Relaxed) {
            std::thread::sleep(Duration::from_millis(50));
            let closed = self.minute();
            if closed == minute {
                continue;
            }
            let [blue, green] = weights(self.lab);
            let of_green = PER_MINUTE * green / (blue + green).max(1);
            let one_in = self.bad_one_in.load(Ordering::Relaxed);
            let bad = of_green.checked_div(one_in).unwrap_or(0);
            self.count(1, (minute..closed).map(|m| (m, of_green, bad)));
            self.count(0, (minute..closed).map(|m| (m, PER_MINUTE - of_green, 0)));
            minute = closed;
        }
    }

    fn count(&self, side: usize, minutes: impl Iterator<Item = (i64, u64, u64)>) {
        let Side { balancer, group } = &self.sides[side];
        let of_balancer = json!({"LoadBalancer": balancer});
        let of_group = json!({"LoadBalancer": balancer, "TargetGroup": group});
        let minutes: Vec<_> = minutes.filter(|(_, n, _)| *n > 0).collect();
        let points = |of: &dyn Fn(u64, u64) -> BTreeMap<&'static str, u64>| {
            let point = |(m, n, bad): &(i64, u64, u64)| json!([m * 60, of(*n, *bad)]);
            minutes.iter().map(point).collect::<Vec<_>>()
        };
        let put = |name: &str, of: &Value, points: Vec<Value>| {
            let body = json!({"namespace": "AWS/ApplicationELB", "name": name, "dimensions": of, "points": points});
            self.lab.control("POST", "metrics", &body);
        };
        let times =
            |n: u64, _| BTreeMap::from([("0.1", n - n / SLOW_ONE_IN), ("0.9", n / SLOW_ONE_IN)]);
        put(
            "RequestCount",
            &of_group,
            points(&|n, _| BTreeMap::from([("1", n)])),
        );
        put("TargetResponseTime", &of_group, points(&times));
        put("TargetResponseTime", &of_balancer, points(&times));
        if minutes.iter().any(|(_, _, bad)| *bad > 0) {
            put(
                "HTTPCode_Target_5XX_Count",
                &of_group,
                points(&|_, bad| BTreeMap::from([("1", bad)])),
            );
        }
    }
}

/// The weights of both records, as another client reads them.
pub fn weights(lab: &Lab) -> [u64; 2] {
    let text = records(lab);
    ["blue", "green"].map(|env| {
        let set = text
            .split("<ResourceRecordSet>")
            .find(|set| set.contains(&format!("<SetIdentifier>record-{env}-")));
        let weight = set.and_then(|set| set.split("<Weight>").nth(1));
        let weight = weight.and_then(|w| w.split('<').next()).unwrap();
        weight.parse().unwrap()
    })
}

/// What the record of the traffic command says.
pub fn note(lab: &Lab) -> String {
    let text = records(lab);
    let set = text
        .split("<ResourceRecordSet>")
        .find(|set| set.contains("<Name>_traffic."));
    let value = set.and_then(|set| set.split("<Value>").nth(1)).unwrap();
    value
        .split('<')
        .next()
        .unwrap()
        .replace("&quot;", "\"")
        .trim_matches('"')
        .to_owned()
}

/// The record sets of the zone, in XML: without a signature, which the sandbox does not check.
fn records(lab: &Lab) -> String {
    let address = lab.endpoint.trim_start_matches("http://");
    let mut stream = TcpStream::connect(address).unwrap();
    let scope =
        "Credential=test/20260101/us-east-1/route53/aws4_request, SignedHeaders=host, Signature=0";
    let head = format!(
        "GET /2013-04-01/hostedzone/Z0SANDBOX0SANDBOX000/rrset HTTP/1.0\r\nHost: {address}\r\nAuthorization: AWS4-HMAC-SHA256 {scope}\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}
