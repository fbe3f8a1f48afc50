//! The custom resources, one file each. Only kinds that a controller serves are here.
//!
//! Every list, map and string has a bound, every field a sentence for `kubectl explain`; the tests
//! of this crate refuse one without.

// Print columns repeat `type_ = "string"`; the lint takes every list for one of attributes.
#![allow(clippy::duplicated_attributes)]

pub mod addon;
pub mod app;
pub mod component;
pub mod group;
pub mod ledger;
pub mod policy;
pub mod source;

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::CustomResourceExt;

/// Every CustomResourceDefinition that the chart installs, in the order of the data flow.
pub fn all() -> Vec<CustomResourceDefinition> {
    vec![
        source::AddonSource::crd(),
        addon::MiddlewareAddon::crd(),
        ledger::AddonLedger::crd(),
        policy::AddonPolicy::crd(),
        app::App::crd(),
        component::Component::crd(),
        group::Group::crd(),
    ]
}

/// An enum of reasons whose wire form is the variant's name.
macro_rules! reasons {
    ($(#[$doc:meta])* $Name:ident { $($(#[$vdoc:meta])* $Variant:ident),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum $Name { $($(#[$vdoc])* $Variant),+ }

        impl $Name {
            /// The reason as conditions and Events carry it.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$Variant => stringify!($Variant)),+ }
            }
        }
    };
}
pub(crate) use reasons;
