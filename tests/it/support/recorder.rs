//! Records that are kept in memory only, for tests of the engine alone.

use async_trait::async_trait;
use deployer::engine::Error;
use deployer::engine::exec::Recorder;
use deployer::state::Record;
use std::collections::BTreeMap;
use std::sync::Mutex;

#[derive(Default)]
pub struct MemoryRecorder {
    /// Every record in order.
    pub log: Mutex<Vec<(String, Option<Record>)>>,
    /// The last record of every step.
    pub last: Mutex<BTreeMap<String, Record>>,
}

#[async_trait]
impl Recorder for MemoryRecorder {
    async fn record(&self, step: &str, record: Option<Record>) -> Result<(), Error> {
        let mut last = self.last.lock().unwrap();
        match &record {
            Some(record) => drop(last.insert(step.to_owned(), record.clone())),
            None => drop(last.remove(step)),
        }
        self.log.lock().unwrap().push((step.to_owned(), record));
        Ok(())
    }
}
