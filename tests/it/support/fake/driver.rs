//! The calls of the engine, with the faults that a test asked for.

use super::Fake;
use async_trait::async_trait;
use deployer::engine::driver::{Key, Owned};
use deployer::engine::{
    Backup, Class, Data, DeleteOptions, Delta, Driver, Error, Identity, Leftover, Live, Meta,
    Remains,
};
use serde_json::Value;

#[async_trait]
impl Driver for Fake {
    fn meta(&self) -> &Meta {
        &self.meta
    }

    async fn read(&self, key: Key<'_>) -> Result<Option<Live>, Error> {
        if self.world.unread.lock().unwrap().contains(self.meta.kind) {
            return Err(Error::permanent("test:Read", "not read"));
        }
        match self.world.unanswered() {
            Some(error) => Err(error),
            None => Ok(self.show(key)),
        }
    }

    async fn create(&self, spec: &Value, identity: &Identity) -> Result<Value, Error> {
        self.world.call().await;
        let panics = self
            .world
            .panics
            .lock()
            .unwrap()
            .take_if(|s| *s == identity.step);
        assert_eq!(panics, None, "the panic that was asked for");
        let fault = self.world.fault(&identity.step);
        if let Some(fault) = fault.as_ref().filter(|f| f.leftover == Leftover::Nothing) {
            return Err(fault.clone());
        }
        let made = self.make(spec, identity);
        fault.map_or(made, Err)
    }

    async fn update(&self, spec: &Value, outputs: &Value, delta: &Delta) -> Result<(), Error> {
        self.world.call().await;
        let id = outputs["id"].as_str().unwrap_or_default();
        let step = id.rsplit_once('-').map_or(id, |p| p.0);
        match self.world.fault(&format!("update {step}")) {
            Some(fault) => Err(fault),
            None => self.change(spec, outputs, delta),
        }
    }

    async fn users(&self, outputs: &Value) -> Result<Vec<String>, Error> {
        let users = self.world.users.lock().unwrap();
        let id = outputs["id"].as_str().unwrap();
        Ok(users.get(id).into_iter().cloned().collect())
    }

    async fn data(&self, spec: &Value, _outputs: &Value) -> Result<Data, Error> {
        Ok(match spec["rows"].as_u64() {
            Some(0) => Data::Empty,
            Some(n) => Data::Holds(format!("{n} rows")),
            None => Data::Unlocks("what it encrypts".into()),
        })
    }

    async fn remains(
        &self,
        _spec: &Value,
        name: &str,
        _outputs: &Value,
    ) -> Result<Option<Remains>, Error> {
        if !self.restorable {
            return Ok(None);
        }
        self.world.fault("remains").map_or(Ok(()), Err)?;
        let backups = self.world.backups.lock().unwrap();
        let backups = backups.get(name).cloned().unwrap_or_default();
        Ok(Some(Remains::of(backups)))
    }

    async fn restore(
        &self,
        spec: &Value,
        identity: &Identity,
        from: &Backup,
    ) -> Result<Value, Error> {
        self.world.call().await;
        let fault = self.world.fault(&identity.step);
        if let Some(fault) = fault.as_ref().filter(|f| f.leftover == Leftover::Nothing) {
            return Err(fault.clone());
        }
        let made = self.restored(spec, identity, from)?;
        fault.map_or(Ok(made), Err)
    }

    async fn delete(
        &self,
        _spec: &Value,
        outputs: &Value,
        options: &DeleteOptions,
    ) -> Result<(), Error> {
        self.world.call().await;
        let id = outputs["id"].as_str().unwrap_or_default();
        match self.world.fault(&format!("delete {id}")) {
            Some(_) => Err(Error::of(Class::InUse, "delete", "something uses it")),
            None => self.remove(outputs, options),
        }
    }

    async fn owned(&self, suffix: &str) -> Result<Vec<Owned>, Error> {
        Ok(self.marked(suffix))
    }
}
