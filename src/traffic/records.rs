//! The records of the domain in Route 53: read with one call, changed in one batch.

use super::note::Note;
use super::weights::{Live, Weights};
use super::world::Standing;
use crate::aws::Aws;
use crate::aws::route53::{CHANGE_RESOURCE_RECORD_SETS, GET_CHANGE};
use crate::blueprint::{self, NOTE_TTL};
use crate::config::Config;
use crate::engine::Error;
use crate::resources::route53::{sets, text};
use aws_sdk_route53::types::{ChangeAction, ChangeStatus, ResourceRecordSet, RrType};
use serde_json::{Value, json};

/// Where the records of a deployment are.
#[derive(Debug, Clone)]
pub struct Place {
    /// The id of the zone.
    pub zone: String,
    pub zone_name: String,
    pub domain: String,
    /// The set identifiers of blue's and green's records.
    ids: [String; 2],
    /// The set identifier of the note.
    note: String,
}

type Changes = Vec<(ChangeAction, ResourceRecordSet)>;

impl Place {
    /// Finds it.
    ///
    /// # Errors
    /// When zones cannot be listed, or it is not clear which one is meant.
    pub async fn find(aws: &Aws, config: &Config) -> Result<Self, Error> {
        let refused = |text: String, hint: Option<String>| {
            let error = Error::permanent("traffic", text);
            match hint {
                Some(hint) => error.hint(hint),
                None => error,
            }
        };
        let zone = match blueprint::find_zone(aws, config).await? {
            Ok(Some(zone)) => zone,
            Ok(None) => {
                let text = "the deployment has no records: `routing.certificate_arn` is set and no zone covers its domain";
                return Err(refused(
                    text.into(),
                    Some("move the traffic where the records are".into()),
                ));
            }
            Err(check) => return Err(refused(check.text, check.hint)),
        };
        let (note, records) = blueprint::record_steps();
        let id = |step: &String| sets::identifier_of(step, &config.suffix, &config.region);
        Ok(Self {
            domain: blueprint::domain(config, &zone.name),
            zone_name: zone.name,
            zone: zone.id,
            ids: records.each_ref().map(id),
            note: id(&note),
        })
    }

    fn note_name(&self) -> String {
        text::name(&self.domain)
    }

    /// Reads them.
    ///
    /// # Errors
    /// When they cannot be read.
    pub async fn read(&self, aws: &Aws) -> Result<Standing, Error> {
        let name = self.note_name();
        let (records, notes) = tokio::try_join!(
            aws.route53.records(&self.zone, &self.domain),
            aws.route53.records(&self.zone, &name),
        )?;
        Ok(self.standing(&records, &notes))
    }

    fn standing(&self, records: &[ResourceRecordSet], notes: &[ResourceRecordSet]) -> Standing {
        let answers =
            |s: &&ResourceRecordSet| matches!(s.r#type, RrType::A | RrType::Aaaa | RrType::Cname);
        let by_id = |id: &str| {
            let mut same = records.iter().filter(answers);
            same.find(|s| s.r#type == RrType::A && s.set_identifier() == Some(id))
        };
        let [blue, green] = self.ids.each_ref().map(|id| by_id(id));
        let ours = |s: &ResourceRecordSet| {
            s.set_identifier()
                .is_some_and(|i| self.ids.iter().any(|id| id == i))
        };
        let foreign = records.iter().filter(answers).filter(|s| !ours(s));
        let described = |s: &ResourceRecordSet| match s.set_identifier() {
            Some(id) => format!(
                "the {} record of {} with the set identifier `{id}`",
                s.r#type.as_str(),
                self.domain
            ),
            None => format!("the {} record of {}", s.r#type.as_str(), self.domain),
        };
        let note = notes
            .iter()
            .find(|s| s.r#type == RrType::Txt && s.set_identifier() == Some(&self.note));
        let weight = |set: Option<&ResourceRecordSet>| set.map(|s| s.weight().unwrap_or_default());
        Standing {
            live: Live {
                blue: weight(blue),
                green: weight(green),
            },
            note: note.map(|set| Note::parse(&text::value(set))),
            foreign: foreign.map(described).collect(),
            sets: [blue, green, note].map(Option::<&_>::cloned),
        }
    }

    /// Sends weights and note as one change that is refused unless the records are as they were read.
    ///
    /// # Errors
    /// When Route 53 refuses.
    pub async fn write(
        &self,
        aws: &Aws,
        from: &Standing,
        to: Option<Weights>,
        note: &Note,
    ) -> Result<String, Error> {
        let [blue, green, old] = &from.sets;
        let mut changes = Changes::new();
        for (set, weight) in to.map_or(Vec::new(), |to| vec![(blue, to.blue), (green, to.green)]) {
            let Some(set) = set else {
                let text = "an environment has no record in the zone";
                return Err(Error::permanent("traffic", text)
                    .hint("make both environments with `deployer apply`"));
            };
            changes.push((ChangeAction::Delete, set.clone()));
            changes.push((ChangeAction::Create, weighted(set, weight)));
        }
        changes.extend(old.clone().map(|old| (ChangeAction::Delete, old)));
        changes.push((ChangeAction::Create, self.set(note)?));
        sets::change(
            aws,
            CHANGE_RESOURCE_RECORD_SETS.as_once(),
            &self.zone,
            changes,
        )
        .await
    }

    /// Gives everything to blue, whatever the records are now.
    ///
    /// # Errors
    /// When Route 53 refuses.
    pub async fn force(&self, aws: &Aws, from: &Standing, note: &Note) -> Result<String, Error> {
        let changes = self.back(from, note)?;
        sets::change(aws, CHANGE_RESOURCE_RECORD_SETS, &self.zone, changes).await
    }

    /// The changes that give everything to blue.
    ///
    /// # Errors
    /// When the note is no text of a record.
    pub fn back(&self, from: &Standing, note: &Note) -> Result<Changes, Error> {
        let [blue, green, _] = &from.sets;
        let both = [(blue, Weights::BLUE.blue), (green, Weights::BLUE.green)];
        let both = both
            .into_iter()
            .filter_map(|(set, weight)| Some((set.as_ref()?, weight)));
        let mut changes: Changes = both
            .map(|(set, weight)| (ChangeAction::Upsert, weighted(set, weight)))
            .collect();
        changes.push((ChangeAction::Upsert, self.set(note)?));
        Ok(changes)
    }

    fn set(&self, note: &Note) -> Result<ResourceRecordSet, Error> {
        text::set(&self.note_name(), &self.note, NOTE_TTL, &note.to_string())
    }
}

fn weighted(set: &ResourceRecordSet, weight: u8) -> ResourceRecordSet {
    let mut set = set.clone();
    set.weight = Some(weight.into());
    set
}

/// True when all servers of Route 53 know a change.
///
/// # Errors
/// When it cannot be asked.
pub async fn in_sync(aws: &Aws, change: &str) -> Result<bool, Error> {
    let call = aws.route53.client.get_change().id(change);
    let answer = aws.call(GET_CHANGE, || call.clone().send()).await?;
    let status = answer.change_info.map(|info| info.status);
    Ok(status == Some(ChangeStatus::Insync))
}

/// Changes as commands of the AWS CLI, for a runbook.
pub fn commands(place: &Place, changes: &[(ChangeAction, ResourceRecordSet)]) -> String {
    let one = |(action, set): &(ChangeAction, ResourceRecordSet)| json!({"Action": action.as_str(), "ResourceRecordSet": shown(set)});
    let batch = json!({"Changes": changes.iter().map(one).collect::<Vec<_>>()});
    format!(
        "# All traffic of {} to blue. A shift that goes on anywhere sees it and ends.\n\
         aws route53 change-resource-record-sets --hosted-zone-id {} --change-batch '{batch}'\n\
         # Its answer has the id of the change; it is known everywhere when the status is INSYNC.\n\
         aws route53 get-change --id CHANGE_ID\n",
        place.domain, place.zone
    )
}

/// A set as the API's documents have it.
fn shown(set: &ResourceRecordSet) -> Value {
    let mut out = json!({"Name": set.name, "Type": set.r#type.as_str()});
    let mut put = |key: &str, value: Option<Value>| {
        if let Some(value) = value {
            out[key] = value;
        }
    };
    put(
        "SetIdentifier",
        set.set_identifier.as_ref().map(|v| json!(v)),
    );
    put("Weight", set.weight.map(|v| json!(v)));
    put("TTL", set.ttl.map(|v| json!(v)));
    put(
        "HealthCheckId",
        set.health_check_id.as_ref().map(|v| json!(v)),
    );
    put(
        "AliasTarget",
        set.alias_target.as_ref().map(|alias| {
            json!({
                "HostedZoneId": alias.hosted_zone_id,
                "DNSName": alias.dns_name,
                "EvaluateTargetHealth": alias.evaluate_target_health,
            })
        }),
    );
    put(
        "ResourceRecords",
        set.resource_records
            .as_ref()
            .map(|records| records.iter().map(|r| json!({"Value": r.value})).collect()),
    );
    out
}
