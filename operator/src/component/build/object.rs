//! The addon's own objects, as they are applied: with the platform's labels, and owned by the
//! Component, so that they go with it. A PersistentVolumeClaim is data: nothing owns it.

use crate::{
    apply::strip_nulls,
    children::{Place, metadata},
    component::render::Object,
};
use api::{Component, crd::component::ObjectRef};
use k8s_openapi::ByteString;
use package::manifest::ObjectKind;
use serde_json::{Value, json};

/// The object `rendered` as a child of `owner`.
pub fn object(owner: &Component, place: &Place<'_>, rendered: &Object) -> Object {
    let mut object = rendered.object.clone();
    let name = object["metadata"]["name"].as_str().unwrap_or_default();
    let mut ours = json!(metadata(owner, name.to_owned(), place.labels()));
    if is_data(rendered.kind) {
        ours["ownerReferences"] = Value::Null;
    }
    strip_nulls(&mut ours);
    merge(&mut object["metadata"], ours);
    if rendered.kind == ObjectKind::Secret {
        encode(&mut object);
    }
    Object {
        object,
        ..rendered.clone()
    }
}

/// Whether an object of the kind is data, which an update never takes away.
pub fn is_data(kind: ObjectKind) -> bool {
    kind == ObjectKind::PersistentVolumeClaim
}

/// The kind and name of each, without data, which goes by the App's policy alone.
pub fn inventory(objects: &[Object]) -> Vec<ObjectRef> {
    let ours = objects.iter().filter(|object| !is_data(object.kind));
    let mut inventory: Vec<ObjectRef> = ours.map(Object::reference).collect();
    inventory.sort();
    inventory
}

/// Puts `ours` over what the template has; its own labels and annotations stay beside ours.
fn merge(target: &mut Value, ours: Value) {
    match (target, ours) {
        (Value::Object(target), Value::Object(ours)) => {
            for (key, value) in ours {
                merge(target.entry(key).or_insert(Value::Null), value);
            }
        }
        (target, ours) => *target = ours,
    }
}

/// The API server keeps `stringData` as `data`, and nobody could tell whether it is as wanted.
fn encode(secret: &mut Value) {
    let Some(fields) = secret.as_object_mut() else {
        return;
    };
    let Some(Value::Object(texts)) = fields.remove("stringData") else {
        return;
    };
    let data = fields.entry("data").or_insert_with(|| json!({}));
    for (key, text) in texts {
        let bytes = text.as_str().unwrap_or_default().as_bytes().to_vec();
        data[key] = json!(ByteString(bytes));
    }
}
