//! JSON Schemas that the derive cannot say.

use schemars::{Schema, SchemaGenerator, json_schema};

/// An object whose fields the API server keeps without knowing them.
pub(crate) fn free_form(_: &mut SchemaGenerator) -> Schema {
    json_schema!({"type": "object", "x-kubernetes-preserve-unknown-fields": true})
}

/// Parameters by name, whose values the addon's schema knows, and the API server does not.
pub(crate) fn parameters(_: &mut SchemaGenerator) -> Schema {
    json_schema!({
        "type": "object",
        "maxProperties": 500,
        "additionalProperties": {"x-kubernetes-preserve-unknown-fields": true},
    })
}

/// Kubernetes' standard conditions, bounded, merged by `type`.
pub(crate) fn conditions(_: &mut SchemaGenerator) -> Schema {
    json_schema!({
        "type": "array",
        "maxItems": 16,
        "x-kubernetes-list-type": "map",
        "x-kubernetes-list-map-keys": ["type"],
        "items": {
            "type": "object",
            "description": "One aspect of the state, as Kubernetes conditions are.",
            "required": ["type", "status", "lastTransitionTime", "reason", "message"],
            "properties": {
                "type": {"type": "string", "maxLength": 64, "description": "The aspect, for example Ready."},
                "status": {"type": "string", "enum": ["True", "False", "Unknown"], "description": "Whether it holds."},
                "observedGeneration": {"type": "integer", "format": "int64", "description": "The generation of the object that this was said of."},
                "lastTransitionTime": {"type": "string", "format": "date-time", "description": "When the status last changed."},
                "reason": {"type": "string", "maxLength": 64, "description": "The reason in one word, for programs."},
                "message": {"type": "string", "maxLength": 8192, "description": "The reason in full, for people."}
            }
        }
    })
}
