//! The three services of the platform. What differs between them stands in this table and nowhere else; security groups,
//! tasks, target groups and alarms loop over it. Their names are the configuration's, which takes images by them.

use super::storage::{COMPLIANCE_DOCS, TRANSACTION_LOGS};
use super::tables::{RATE_LIMITS, SESSIONS};
use crate::config::{PAYMENT_API, REPORTING, TRANSACTION_PROCESSOR};

/// The port on which all of them listen: network ACLs, which have few entries, name it once.
pub const SERVICE_PORT: u16 = 8080;
/// The path on which all of them say that they are alive.
pub const HEALTH_PATH: &str = "/health";

/// One service.
#[derive(Debug)]
pub struct Service {
    /// In names of resources: `payment-api`.
    pub name: &'static str,
    /// The same where names are short: at most six characters.
    pub short: &'static str,
    /// For people, in descriptions.
    pub title: &'static str,
    /// The requests that the load balancer sends to it: this path and all below it.
    pub path: &'static str,
    /// Where it listens.
    pub port: u16,
    /// CPU units of a task; 1,024 are one vCPU.
    pub cpu: u32,
    /// MiB of a task.
    pub memory: u32,
    /// Tasks at least and at most; see [`Service::least`].
    pub tasks: (u32, u32),
    /// True for one that works on payments without being asked: where nothing may be written it has no task.
    pub works_alone: bool,
    /// False for one that only reads the database: it gets the reader endpoint.
    pub writes: bool,
    /// The tables that it reads and writes.
    pub tables: &'static [&'static str],
    /// The buckets that it reads and writes.
    pub buckets: &'static [&'static str],
    /// The buckets that it only reads.
    pub reads: &'static [&'static str],
}

impl Service {
    /// Tasks at least: one in each zone.
    pub fn least(&self, zones: usize) -> u32 {
        let (least, _) = self.tasks;
        least.max(u32::try_from(zones).unwrap_or(least))
    }

    /// The buckets that it knows by name.
    pub fn known_buckets(&self) -> impl Iterator<Item = &'static str> {
        self.reads.iter().chain(self.buckets).copied()
    }

    /// The user of the database that it logs in as when it logs in without a password.
    pub fn database_user(&self) -> String {
        self.name.replace('-', "_")
    }
}

pub const SERVICES: [Service; 3] = [
    Service {
        name: PAYMENT_API,
        short: "pay",
        title: "Payment API",
        path: "/api/payments",
        port: SERVICE_PORT,
        cpu: 512,
        memory: 1024,
        tasks: (3, 12),
        works_alone: false,
        writes: true,
        tables: &[SESSIONS, RATE_LIMITS],
        buckets: &[TRANSACTION_LOGS],
        reads: &[],
    },
    Service {
        name: TRANSACTION_PROCESSOR,
        short: "tx",
        title: "Transaction processor",
        path: "/api/transactions",
        port: SERVICE_PORT,
        cpu: 1024,
        memory: 2048,
        tasks: (3, 12),
        works_alone: true,
        writes: true,
        tables: &[SESSIONS],
        buckets: &[TRANSACTION_LOGS],
        reads: &[],
    },
    Service {
        name: REPORTING,
        short: "report",
        title: "Reporting",
        path: "/api/reports",
        port: SERVICE_PORT,
        cpu: 512,
        memory: 1024,
        tasks: (3, 6),
        works_alone: false,
        writes: false,
        tables: &[],
        buckets: &[COMPLIANCE_DOCS],
        reads: &[TRANSACTION_LOGS],
    },
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::blueprint::{storage, tables};
    use std::collections::BTreeSet;

    #[test]
    fn names_and_paths_are_unique_and_what_a_service_reaches_exists() {
        let names: BTreeSet<_> = SERVICES.iter().map(|s| s.name).collect();
        assert_eq!(names, crate::config::SERVICES.into());
        let paths: BTreeSet<_> = SERVICES.iter().map(|s| s.path).collect();
        assert_eq!((names.len(), paths.len()), (SERVICES.len(), SERVICES.len()));
        for service in &SERVICES {
            let known = |name: &&&str| !tables::TABLE_NAMES.contains(name);
            assert_eq!(service.tables.iter().find(known), None, "{}", service.name);
            let unknown = service
                .known_buckets()
                .find(|name| !storage::LOGGED.contains(name));
            assert_eq!(unknown, None, "{}", service.name);
        }
    }

    /// "Task CPU and memory", AWS Fargate: up to 1 vCPU, memory in steps of 1 GiB from two to eight times the CPU.
    #[test]
    fn fargate_offers_the_sizes_and_every_zone_has_a_task() {
        for service in &SERVICES {
            assert!([256, 512, 1024].contains(&service.cpu), "{}", service.name);
            let fits = (2 * service.cpu..=8 * service.cpu).contains(&service.memory);
            assert!(fits && service.memory % 1024 == 0, "{}", service.name);
            let (_, most) = service.tasks;
            for (zones, least) in [(3, 3), (4, 4)] {
                assert_eq!(service.least(zones), least, "{}", service.name);
                assert!(least <= most, "{}", service.name);
            }
        }
    }
}
