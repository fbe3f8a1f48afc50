//! `catalog browse`: the catalog on a terminal, for a person.
//!
//! In: keys, and what the cluster shows to this person. Out: a screen, and at the end the manifest that
//! was taken. [`update`] and [`draw`] are pure; [`outside`] alone touches terminal and cluster.

mod draw;
mod filled;
mod keys;
mod layout;
mod outside;
#[cfg(test)]
mod sample;
mod search;
mod snippet;
mod state;
mod update;
mod view;

pub(crate) use outside::run;
