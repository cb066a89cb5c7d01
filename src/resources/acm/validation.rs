//! The record by which a certificate proves that one of its names is ours. AWS chooses name and value, a moment after the
//! certificate was asked for; both stay the same for a name as long as the account does, so a record that is there already
//! with this value is used, and left. One of ours that says something else is set back.

use super::Certificate;
use crate::aws::route53::plain;
use crate::resources::prelude::*;
use crate::resources::route53::sets::{self, built};
use aws_sdk_acm::types::{CertificateDetail, CertificateStatus, ResourceRecord as Wanted};
use aws_sdk_route53::types::{ResourceRecord, ResourceRecordSet, RrType};

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Validation {
    pub certificate: Ref<Arn<Certificate>>,
    /// The name that is proved.
    pub domain: String,
    /// The id of the public zone that the record is in.
    pub zone: String,
    /// It is ready when the certificate is issued; otherwise as soon as the record is there.
    #[serde(default = "yes")]
    pub wait: bool,
    /// What the record says: [`PROOF`], or what somebody wrote there.
    #[serde(default = "proof")]
    pub value: String,
    /// Sets of somebody else that answer for the record's name, and something else.
    #[serde(default)]
    pub others: Vec<String>,
}

/// Stands for the value that AWS chose: it is known only once there is a certificate.
pub const PROOF: &str = "what the certificate wants";

fn yes() -> bool {
    true
}

fn proof() -> String {
    PROOF.to_owned()
}

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct ValidationOutputs {
    /// The record's set identifier.
    pub id: Ref<Validation>,
    /// The record's name.
    pub name: Ref<Validation>,
    /// The certificate: with `.ready()` it is an issued one, when the records of its other names are there too.
    pub certificate: Ref<Arn<Certificate>>,
    /// What to do so that it is issued.
    #[serde(default, skip_serializing_if = "Ref::is_unknown")]
    pub attention: Ref<Sentences>,
}

const KIND: &str = "CNAME";
const TTL: i64 = 300;

impl Kind for Validation {
    const TYPE: &'static str = "acm/validation";
    type Outputs = ValidationOutputs;
}

impl Resource for Validation {
    const FACTS: Facts<Self> = Facts {
        global: false,
        listed: Listed::WithParent,
        seconds: (90.0, 2.0),
        cost: |_| Cost::NONE,
        fixed: &["certificate", "domain", "zone"],
        changing: &[],
        replace: Replace::DeleteFirst,
        holds_data: false,
        interrupts: &[],
        write_only: &["wait"],
        watched: &[],
        delegated: &[],
    };
    type Tags = NoTags;

    /// A record of somebody else counts when it says what the certificate wants.
    async fn read(cx: &Aws, key: Lookup<'_, Self>) -> Result<Option<Found<Self>>, Error> {
        let of = (None, key.identity);
        let at = async |name: &str| sets::at(cx, &key.spec.zone, name, KIND, of).await;
        // The recorded name is read with all other records, and counts when it is still the one that the certificate wants.
        let recorded = key.outputs.map(|it| it.name.as_str());
        let early = async {
            match recorded {
                Some(name) => Ok::<_, Error>(Some(at(name).await?)),
                None => Ok(None),
            }
        };
        let (wanted, early) = futures::try_join!(key.spec.wanted(cx), early)?;
        let Some((wanted, issued)) = wanted else {
            // The certificate has gone, and nobody says what its record should be: it is removed all the same.
            let own = early.and_then(|there| there.own).zip(key.outputs);
            return Ok(own.map(|(set, it)| {
                let outputs = key.spec.outputs(identifier_of(&set), it.name.as_str());
                let spec = key.spec.reading(PROOF.to_owned(), Vec::new());
                Found::of_parent(spec, outputs).ready_when(!key.spec.wait)
            }));
        };
        let name = plain(wanted.name());
        let there = match early.filter(|_| recorded == Some(name.as_str())) {
            Some(there) => there,
            None => at(&name).await?,
        };
        let proof = plain(wanted.value());
        let proves = |set: &ResourceRecordSet| says(set) == proof;
        let others = there.rivals.iter().filter(|set| !proves(set));
        let Some(set) = there.own.or(there.plain.filter(proves)) else {
            return match others.clone().next().filter(|_| key.outputs.is_none()) {
                Some(rival) => Err(sets::taken(&sets::described(rival))),
                None => Ok(None),
            };
        };
        let value = match says(&set) {
            same if same == proof => PROOF.to_owned(),
            other => other,
        };
        let mut outputs = key.spec.outputs(identifier_of(&set), &name);
        if !issued && !key.spec.wait {
            outputs.attention = waits(&key.spec.domain).into();
        }
        let others = others.map(|set| sets::entry(set, &name)).collect();
        let found = Found::of_parent(key.spec.reading(value, others), outputs);
        Ok(Some(found.ready_when(issued || !key.spec.wait)))
    }

    async fn create(&self, cx: &Aws, identity: &Identity) -> Result<ValidationOutputs, Error> {
        let id = sets::identifier(identity);
        let set = self.set(cx, &id).await?;
        let name = plain(set.name());
        sets::create(cx, &self.zone, set).await?;
        Ok(self.outputs(&id, &name))
    }

    async fn update(&self, cx: &Aws, it: &ValidationOutputs, delta: &Delta) -> Result<(), Error> {
        let (id, name) = (it.id.as_str(), it.name.as_str());
        sets::take_away(cx, &self.zone, name, delta).await?;
        if !delta.touches("value") {
            return Ok(());
        }
        let Some(old) = sets::live(cx, &self.zone, name, id).await? else {
            let text = format!("the record of {name} is no longer there");
            return Err(Error::permanent("route53:ChangeResourceRecordSets", text)
                .hint("run `deployer apply` again: it makes it anew"));
        };
        sets::replace(cx, &self.zone, old, self.set(cx, id).await?).await
    }

    /// A record that was there before stays.
    async fn delete(&self, cx: &Aws, it: &ValidationOutputs) -> Result<(), Error> {
        let (id, name) = (it.id.as_str(), it.name.as_str());
        match sets::live(cx, &self.zone, name, id).await? {
            Some(set) => sets::delete(cx, &self.zone, set).await,
            None => Ok(()),
        }
    }
}

fn waits(domain: &str) -> String {
    format!(
        "waiting for delegation: the certificate for {domain} is not issued; give the domain the name servers of its zone (`deployer outputs shared.zone.name_servers`) at its registrar or in the zone above it, then run `deployer apply` again"
    )
}

/// Stands for the set identifier of a record that somebody else made.
const FOUND: &str = "found";

fn identifier_of(set: &ResourceRecordSet) -> &str {
    set.set_identifier().unwrap_or(FOUND)
}

/// What a record says, in one line.
fn says(set: &ResourceRecordSet) -> String {
    let values = set.resource_records().iter().map(|v| plain(v.value()));
    let alias = set.alias_target().map(|to| plain(to.dns_name()));
    values.chain(alias).collect::<Vec<_>>().join(", ")
}

impl Validation {
    /// As it was read.
    fn reading(&self, value: String, others: Vec<String>) -> Self {
        Self {
            value,
            others,
            ..self.clone()
        }
    }

    /// The record as it should be.
    async fn set(&self, cx: &Aws, id: &str) -> Result<ResourceRecordSet, Error> {
        let Some((wanted, _)) = self.wanted(cx).await? else {
            let text = format!("AWS shows no record for {} yet", self.domain);
            let action = acm::DESCRIBE_CERTIFICATE.action();
            return Err(Error::of(Class::NotReady, action, text));
        };
        let value = ResourceRecord::builder().value(wanted.value());
        let set = ResourceRecordSet::builder()
            .name(plain(wanted.name()))
            .r#type(RrType::from(KIND))
            .set_identifier(id)
            .weight(1)
            .ttl(TTL)
            .resource_records(built(value.build())?);
        built(set.build())
    }

    fn outputs(&self, id: &str, name: &str) -> ValidationOutputs {
        ValidationOutputs {
            id: id.into(),
            name: name.into(),
            certificate: self.certificate.clone(),
            attention: Ref::default(),
        }
    }

    /// The record that the certificate wants for the name, and whether it is issued.
    async fn wanted(&self, cx: &Aws) -> Result<Option<(Wanted, bool)>, Error> {
        let arn = self.certificate.to_string();
        let certificate: Option<CertificateDetail> = cx.acm.certificates.get(arn).await?;
        let status = certificate.as_ref().and_then(|c| c.status());
        let issued = status == Some(&CertificateStatus::Issued);
        let options = certificate.and_then(|c| c.domain_validation_options);
        let mut options = options.unwrap_or_default().into_iter();
        let option = options.find(|o| o.domain_name() == self.domain);
        let record = option.and_then(|o| o.resource_record);
        Ok(record.map(|record| (record, issued)))
    }
}
