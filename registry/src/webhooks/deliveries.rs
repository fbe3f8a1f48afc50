//! Deliveries that were accepted, by the id that the forge gives each. The set is bounded: an id that it
//! forgot costs a look when it comes again.

use api::crd::source::WebhookKind;
use axum::http::HeaderMap;
use std::collections::{HashSet, VecDeque};

/// So many deliveries are remembered.
const MAX: usize = 4096;
/// Longer ids are nobody's; they are not remembered.
const MAX_ID: usize = 128;

/// The id of a delivery, where the forge gives one.
pub fn delivery(kind: WebhookKind, headers: &HeaderMap) -> Option<&str> {
    let header = match kind {
        WebhookKind::Github => "x-github-delivery",
        WebhookKind::Gitea => "x-gitea-delivery",
        WebhookKind::Gitlab | WebhookKind::Generic | WebhookKind::Oci => return None,
    };
    let id = headers.get(header)?.to_str().ok()?;
    (1..=MAX_ID).contains(&id.len()).then_some(id)
}

/// The newest deliveries, by source and id.
#[derive(Default)]
pub struct Deliveries {
    known: HashSet<(String, String)>,
    order: VecDeque<(String, String)>,
}

impl Deliveries {
    /// Remembers a delivery; false where it is remembered already.
    pub fn is_new(&mut self, source: &str, id: &str) -> bool {
        let delivery = (source.to_owned(), id.to_owned());
        if !self.known.insert(delivery.clone()) {
            return false;
        }
        self.order.push_back(delivery);
        if self.order.len() > MAX
            && let Some(oldest) = self.order.pop_front()
        {
            self.known.remove(&oldest);
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_are_remembered_and_no_more() {
        let mut deliveries = Deliveries::default();
        assert!(deliveries.is_new("a", "1"));
        assert!(!deliveries.is_new("a", "1"));
        assert!(deliveries.is_new("b", "1"));
        for id in 0..2 * MAX {
            deliveries.is_new("c", &id.to_string());
        }
        assert_eq!((deliveries.known.len(), deliveries.order.len()), (MAX, MAX));
        assert!(!deliveries.is_new("c", &(2 * MAX - 1).to_string()));
        assert!(deliveries.is_new("a", "1"));
    }
}
