//! [`Held`] over a lease: its writes, one after the other.

use super::lease::Lease;
use crate::state::StateError;
use crate::state::store::Held;
use async_trait::async_trait;
use std::sync::Arc;
use tokio::sync::Mutex;

/// The lock. It is given back by the store, since that takes a call.
pub(super) struct ObjectHeld {
    lease: Arc<Mutex<Lease>>,
}

impl ObjectHeld {
    pub fn new(lease: Arc<Mutex<Lease>>) -> Self {
        Self { lease }
    }
}

#[async_trait]
impl Held for ObjectHeld {
    async fn begin(&mut self, header: Vec<u8>) -> Result<(), StateError> {
        self.lease.lock().await.begin(header);
        Ok(())
    }

    async fn append(&mut self, lines: Vec<u8>) -> Result<(), StateError> {
        self.lease.lock().await.append(lines).await
    }

    async fn save(&mut self, state: Vec<u8>) -> Result<(), StateError> {
        self.lease.lock().await.save(&state).await
    }

    async fn note(&mut self, line: Vec<u8>) -> Result<(), StateError> {
        self.lease.lock().await.note(&line).await
    }

    async fn replace(&mut self, state: Vec<u8>, history: Vec<u8>) -> Result<(), StateError> {
        self.lease.lock().await.replace(&state, &history).await
    }
}
