//! The handle of a step: the struct of its outputs, each of them a reference that the engine fills in later.

use super::graph::Kind;
use serde::de::value::{Error, MapDeserializer};
use serde::de::{DeserializeOwned, Deserializer, IntoDeserializer, Visitor};
use serde::forward_to_deserialize_any;
use std::ops::Deref;

/// A step that was added. It derefs to the outputs of its type, so that `vpc.id` is a reference to the id of the VPC.
pub struct Handle<R: Kind> {
    outputs: R::Outputs,
}

impl<R: Kind> Handle<R> {
    pub(super) fn new(step: &str) -> Result<Self, Error> {
        Ok(Self {
            outputs: placeholders(step)?,
        })
    }
}

impl<R: Kind> Default for Handle<R> {
    fn default() -> Self {
        Self {
            outputs: R::Outputs::default(),
        }
    }
}

impl<R: Kind> Deref for Handle<R> {
    type Target = R::Outputs;
    fn deref(&self) -> &R::Outputs {
        &self.outputs
    }
}

/// A struct of which every field is the placeholder of the output with the field's name.
fn placeholders<O: DeserializeOwned>(step: &str) -> Result<O, Error> {
    O::deserialize(Outputs { step })
}

/// The names of the fields of a struct.
pub fn fields<T: DeserializeOwned>() -> &'static [&'static str] {
    let mut names: &'static [&'static str] = &[];
    // It ends as soon as the names are known; the struct itself is never made.
    let _ = T::deserialize(Names(&mut names));
    names
}

struct Outputs<'a> {
    step: &'a str,
}

impl<'de> Deserializer<'de> for Outputs<'_> {
    type Error = Error;

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        let each = fields
            .iter()
            .map(|field| (*field, Placeholder(format!("@{{{}.{field}}}", self.step))));
        visitor.visit_map(MapDeserializer::new(each))
    }

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_unit()
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit unit_struct
        newtype_struct seq tuple tuple_struct map enum identifier ignored_any
    }
}

struct Placeholder(String);

impl IntoDeserializer<'_, Error> for Placeholder {
    type Deserializer = Self;
    fn into_deserializer(self) -> Self {
        self
    }
}

impl<'de> Deserializer<'de> for Placeholder {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_string(self.0)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_some(self)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct
        newtype_struct seq tuple tuple_struct map struct enum identifier ignored_any
    }
}

struct Names<'a>(&'a mut &'static [&'static str]);

impl<'de> Deserializer<'de> for Names<'_> {
    type Error = Error;

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        _: V,
    ) -> Result<V::Value, Error> {
        *self.0 = fields;
        Err(serde::de::Error::custom("only the names are wanted"))
    }

    fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Error> {
        Err(serde::de::Error::custom("not a struct"))
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit unit_struct
        newtype_struct seq tuple tuple_struct map enum identifier ignored_any
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::Ref;
    use serde::Deserialize;

    #[derive(Deserialize)]
    struct Some {
        id: Ref<()>,
        arn: Option<String>,
    }

    #[test]
    fn every_field_refers_to_the_output_of_its_name() {
        let some: Some = placeholders("vpc-green").unwrap();
        assert_eq!(some.id.as_str(), "@{vpc-green.id}");
        assert_eq!(some.arn.as_deref(), Some("@{vpc-green.arn}"));
        assert_eq!(fields::<Some>(), ["id", "arn"]);
    }
}
