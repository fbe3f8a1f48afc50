//! Serde's view of a document, strict: text is text, a number is a number, and a field that a struct
//! does not know is noted and left out.

use super::{
    fault::{Fault, kind},
    unknown_field,
};
use crate::{
    Finding,
    check::document::{Key, Node, Value},
};
use serde::{
    Deserializer,
    de::{
        DeserializeSeed, MapAccess, SeqAccess, Visitor,
        value::{StrDeserializer, StringDeserializer},
    },
    forward_to_deserialize_any,
};
use std::cell::RefCell;

/// A reader of one value.
#[derive(Clone, Copy)]
pub(super) struct Reader<'de> {
    node: &'de Node,
    findings: &'de RefCell<Vec<Finding>>,
}

impl<'de> Reader<'de> {
    pub(super) fn new(node: &'de Node, findings: &'de RefCell<Vec<Finding>>) -> Self {
        Self { node, findings }
    }

    fn wrong<T>(self, want: &str) -> Result<T, Fault<'de>> {
        let is = kind(&self.node.value);
        Err(Fault::wrong(self.node, format!("want {want}, not {is}")))
    }

    fn text(self) -> Result<&'de str, Fault<'de>> {
        match &self.node.value {
            Value::Text(text) => Ok(text),
            Value::Bool(_) | Value::Whole(_) | Value::Decimal(_) => {
                self.wrong("text; put it in quotes")
            }
            _ => self.wrong("text"),
        }
    }

    fn map(self) -> Result<Entries<'de>, Fault<'de>> {
        let entries = match &self.node.value {
            Value::Map(entries) => entries.as_slice(),
            Value::Null => &[],
            _ => return self.wrong("a map"),
        };
        Ok(Entries {
            reader: self,
            rest: entries.iter(),
            value: None,
        })
    }

    fn list(self) -> Result<Items<'de>, Fault<'de>> {
        let items = match &self.node.value {
            Value::List(items) => items.as_slice(),
            Value::Null => &[],
            _ => return self.wrong("a list"),
        };
        Ok(Items {
            reader: self,
            rest: items.iter(),
        })
    }

    /// Notes every key that is none of `fields`, once.
    fn note_unknown(self, name: &str, fields: &[&str]) {
        let Value::Map(entries) = &self.node.value else {
            return;
        };
        for (key, node) in entries {
            if !fields.contains(&key.text.as_str()) && !node.refused.replace(true) {
                let message = unknown_field(&key.text, name, fields);
                self.findings.borrow_mut().push(key.place.finding(message));
            }
        }
    }
}

macro_rules! whole_numbers {
    ($($method:ident $visit:ident $Type:ty),+) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault<'de>> {
            let number = match self.node.value {
                Value::Whole(number) => <$Type>::try_from(number).ok(),
                _ => None,
            };
            match number {
                Some(number) => visitor.$visit(number),
                None => self.wrong(&format!("a whole number from {} to {}", <$Type>::MIN, <$Type>::MAX)),
            }
        }
    )+};
}

impl<'de> Deserializer<'de> for Reader<'de> {
    type Error = Fault<'de>;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault<'de>> {
        match &self.node.value {
            Value::Null => visitor.visit_unit(),
            Value::Bool(value) => visitor.visit_bool(*value),
            Value::Whole(value) => match (u64::try_from(*value), i64::try_from(*value)) {
                (Ok(value), _) => visitor.visit_u64(value),
                (_, Ok(value)) => visitor.visit_i64(value),
                _ => self.wrong("a number of at most 64 bits"),
            },
            Value::Decimal(value) => visitor.visit_f64(*value),
            Value::Text(text) => visitor.visit_borrowed_str(text),
            Value::List(_) => visitor.visit_seq(self.list()?),
            Value::Map(_) => visitor.visit_map(self.map()?),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault<'de>> {
        match self.node.value {
            Value::Null => visitor.visit_none(),
            _ => visitor.visit_some(self),
        }
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault<'de>> {
        match self.node.value {
            Value::Bool(value) => visitor.visit_bool(value),
            _ => self.wrong("`true` or `false`"),
        }
    }

    whole_numbers!(deserialize_u16 visit_u16 u16, deserialize_u32 visit_u32 u32,
        deserialize_u64 visit_u64 u64, deserialize_i32 visit_i32 i32, deserialize_i64 visit_i64 i64);

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault<'de>> {
        visitor.visit_borrowed_str(self.text()?)
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault<'de>> {
        self.deserialize_str(visitor)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault<'de>> {
        visitor.visit_seq(self.list()?)
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault<'de>> {
        visitor.visit_map(self.map()?)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Fault<'de>> {
        self.note_unknown(name, fields);
        visitor
            .visit_map(self.map()?)
            .map_err(|fault| fault.of(self.node))
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Fault<'de>> {
        visitor.visit_enum(StrDeserializer::new(self.text()?))
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Fault<'de>> {
        visitor.visit_newtype_struct(self)
    }

    forward_to_deserialize_any! {
        i8 i16 i128 u8 u128 f32 f64 char bytes byte_buf unit unit_struct tuple tuple_struct
        identifier ignored_any
    }
}

/// The entries of a map that are not refused.
struct Entries<'de> {
    reader: Reader<'de>,
    rest: std::slice::Iter<'de, (Key, Node)>,
    value: Option<&'de Node>,
}

impl<'de> MapAccess<'de> for Entries<'de> {
    type Error = Fault<'de>;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, Fault<'de>> {
        let Some((key, node)) = self.rest.find(|(_, node)| !node.refused.get()) else {
            return Ok(None);
        };
        self.value = Some(node);
        let text = StringDeserializer::new(key.text.clone());
        let read = seed.deserialize(text);
        read.map(Some)
            .map_err(|fault: Fault<'de>| fault.at_key(key.place, node))
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(
        &mut self,
        seed: V,
    ) -> Result<V::Value, Fault<'de>> {
        let node = self.value.take().unwrap_or(self.reader.node);
        let reader = Reader {
            node,
            ..self.reader
        };
        seed.deserialize(reader).map_err(|fault| fault.of(node))
    }
}

/// The elements of a list that are not refused.
struct Items<'de> {
    reader: Reader<'de>,
    rest: std::slice::Iter<'de, Node>,
}

impl<'de> SeqAccess<'de> for Items<'de> {
    type Error = Fault<'de>;

    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, Fault<'de>> {
        let Some(node) = self.rest.find(|node| !node.refused.get()) else {
            return Ok(None);
        };
        let reader = Reader {
            node,
            ..self.reader
        };
        seed.deserialize(reader)
            .map(Some)
            .map_err(|fault| fault.of(node))
    }
}
