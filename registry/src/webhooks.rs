//! Webhooks: a forge or a registry says that there is something new, and the source is looked at now.
//!
//! In: `POST /hook/<source>`, signed as the source's `spec.webhook` says. Out: a look at that source, as
//! if its interval had passed, and nothing else: no content of a request changes anything, so one that
//! is replayed costs at most what a look costs. A source is looked at at most once a second however many
//! requests come; those that come meanwhile are answered by one look after them.
//!
//! Who does not prove to know the token learns nothing: a source that does not exist, has no webhook or
//! no token is refused like a wrong signature, and after the same work. Only the leader looks; a replica
//! that stands by says so with 503.

mod answer;
mod deliveries;
mod notification;
mod pace;
mod proof;
mod server;
mod tokens;

use crate::{Metrics, context::Context, metrics::Delivered, watch::Change};
use answer::{Answer, Refusal};
use api::{
    AddonSource,
    crd::source::{Webhook, WebhookKind},
};
use axum::{
    body::{Body, BodyDataStream},
    extract::{Path, State},
    http::HeaderMap,
};
use deliveries::{Deliveries, delivery};
use futures::{StreamExt as _, channel::mpsc::UnboundedSender};
use kube::runtime::reflector::ObjectRef;
use pace::{Budget, Pace, Turn};
use prometheus_client::metrics::{counter::Counter, family::Family};
use proof::Proof;
use std::{
    future::Future,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};
use tokens::{Token, Tokens};
use tokio::net::TcpListener;

/// The largest body that is read; forges send some tens of kilobytes.
const MAX_BODY: usize = 1024 * 1024;
/// So much more of a body that is too large is read and forgotten: GitHub's largest is 25 MB.
const MAX_DISCARDED: usize = 32 * 1024 * 1024;
/// How long that may take.
const DISCARD_TIMEOUT: Duration = Duration::from_secs(2);
/// How long a body may take.
const BODY_TIMEOUT: Duration = Duration::from_secs(5);

/// The door that webhooks come in by; open while a registry leads.
#[derive(Clone)]
pub struct Webhooks(Arc<Shared>);

struct Shared {
    leading: Mutex<Option<Arc<Leading>>>,
    pace: Mutex<Pace>,
    refusals: Mutex<Budget>,
    deliveries: Mutex<Deliveries>,
    delivered: Family<Delivered, Counter>,
}

/// What a replica that leads can do for a request.
struct Leading {
    context: Arc<Context>,
    queue: UnboundedSender<Change>,
    tokens: Tokens,
}

/// A source that may be asked for, and what proves that one may.
struct Door {
    source: Arc<AddonSource>,
    webhook: Webhook,
    token: Arc<Token>,
}

/// Closes the door when dropped.
pub(crate) struct Open(Webhooks);

impl Drop for Open {
    fn drop(&mut self) {
        *locked(&self.0.0.leading) = None;
    }
}

impl Webhooks {
    /// A door that is closed yet, and counts with `metrics`.
    pub fn new(metrics: &Metrics) -> Self {
        Self(Arc::new(Shared {
            leading: Mutex::default(),
            pace: Mutex::default(),
            refusals: Mutex::new(Budget::new(Instant::now())),
            deliveries: Mutex::default(),
            delivered: metrics.delivered.clone(),
        }))
    }

    /// Serves `listener` until `shutdown`, whether or not this replica leads.
    pub async fn serve(self, listener: TcpListener, shutdown: impl Future<Output = ()> + Send) {
        server::serve(listener, self, shutdown).await;
    }

    /// Opens the door: from now on requests wake sources of `context` by `queue`.
    pub(crate) fn open(&self, context: Arc<Context>, queue: UnboundedSender<Change>) -> Open {
        let leading = Leading {
            tokens: Tokens::new(context.secrets()),
            context,
            queue,
        };
        *locked(&self.0.leading) = Some(Arc::new(leading));
        Open(self.clone())
    }

    async fn answer(&self, source: &str, headers: &HeaderMap, body: Body) -> Answer {
        let leading = locked(&self.0.leading).clone();
        let Some(leading) = leading else {
            return Answer::StandsBy;
        };
        if length(headers).is_some_and(|length| length > MAX_BODY as u64) {
            // Who asks first whether to send it need not.
            if !headers.contains_key("expect") {
                discard(&mut body.into_data_stream()).await;
            }
            return Answer::TooLarge;
        }
        let door = match leading.door(source).await {
            Ok(door) => Ok(door),
            Err(Closed::For(refusal)) => Err(refusal),
            Err(Closed::TokenUnreadable) => return Answer::TokenUnreadable,
        };
        // Where there is no token the same work is done with one that nobody knows.
        let (kind, token) = match &door {
            Ok(door) => (door.webhook.kind, door.token.clone()),
            Err(_) => (WebhookKind::Generic, leading.tokens.unknown()),
        };
        let mut proof = Proof::begin(kind, &token, headers);
        let kept = match read(body, &mut proof).await {
            Ok(kept) => kept,
            Err(answer) => return answer,
        };
        match (door, proof.holds()) {
            (Ok(door), Ok(())) => self.enter(&leading, &door, headers, &kept),
            (Ok(_), Err(refusal)) | (Err(refusal), _) => self.refuse(source, refusal),
        }
    }

    /// What comes of a request that proved itself.
    fn enter(
        &self,
        leading: &Arc<Leading>,
        door: &Door,
        headers: &HeaderMap,
        body: &[u8],
    ) -> Answer {
        let name = door.source.metadata.name.as_deref().unwrap_or_default();
        let event = headers.get("x-github-event");
        if door.webhook.kind == WebhookKind::Github && event.is_some_and(|event| event == "ping") {
            return Answer::Pong;
        }
        if door.webhook.kind == WebhookKind::Oci {
            match notification::concerns(&door.source, body) {
                Ok(true) => {}
                Ok(false) => return Answer::Ignored,
                Err(()) => return Answer::Malformed,
            }
        }
        if door.source.spec.suspend {
            return Answer::Suspended;
        }
        let delivery = delivery(door.webhook.kind, headers);
        if delivery.is_some_and(|id| !locked(&self.0.deliveries).is_new(name, id)) {
            return Answer::Replayed;
        }
        let turn = locked(&self.0.pace).ask(name, Instant::now());
        match turn {
            Turn::Now => leading.wake(name),
            Turn::At(at) => leading.wake_at(name, at),
            Turn::Taken => return Answer::Coalesced,
        }
        tracing::debug!(source = name, "a webhook asks for a look");
        Answer::Accepted
    }

    fn refuse(&self, source: &str, refusal: Refusal) -> Answer {
        if !locked(&self.0.refusals).take(Instant::now()) {
            return Answer::TooManyRefused;
        }
        let reason = refusal.reason();
        tracing::warn!(source, reason, "a webhook was refused");
        Answer::Refused(refusal)
    }
}

/// Why there is no door.
enum Closed {
    /// It is told in logs and metrics alone.
    For(Refusal),
    /// The API server does not answer.
    TokenUnreadable,
}

impl Leading {
    async fn door(&self, name: &str) -> Result<Door, Closed> {
        let source = self.context.caches.sources.get(&ObjectRef::new(name));
        let source = source.ok_or(Closed::For(Refusal::NoSuchSource))?;
        let webhook = source.spec.webhook.clone();
        let webhook = webhook.ok_or(Closed::For(Refusal::NoWebhook))?;
        let token = self.tokens.get(&webhook.secret_ref.name).await;
        let token = token.map_err(|()| Closed::TokenUnreadable)?;
        let token = token.ok_or(Closed::For(Refusal::NoToken))?;
        Ok(Door {
            source,
            webhook,
            token,
        })
    }

    fn wake(&self, name: &str) {
        self.context.memories.ask(name);
        // Nobody reads any more only when the program ends.
        let _ = self
            .queue
            .unbounded_send(Change::Asked(ObjectRef::new(name)));
    }

    fn wake_at(self: &Arc<Self>, name: &str, at: Instant) {
        let (leading, name) = (Arc::clone(self), name.to_owned());
        tokio::spawn(async move {
            tokio::time::sleep_until(at.into()).await;
            leading.wake(&name);
        });
    }
}

/// `POST /hook/<source>`.
async fn hook(
    State(webhooks): State<Webhooks>,
    Path(source): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Answer {
    let answer = webhooks.answer(&source, &headers, body).await;
    let delivered = &webhooks.0.delivered;
    delivered.get_or_create(&answer.delivered()).inc();
    answer
}

fn length(headers: &HeaderMap) -> Option<u64> {
    headers.get("content-length")?.to_str().ok()?.parse().ok()
}

/// Reads `body` to its end and shows it to `proof`; keeps what `proof` allows to be kept.
async fn read(body: Body, proof: &mut Proof) -> Result<Vec<u8>, Answer> {
    let work = async {
        let (mut kept, mut read) = (Vec::new(), 0);
        let mut chunks = body.into_data_stream();
        while let Some(chunk) = chunks.next().await {
            let chunk = chunk.map_err(|_| Answer::BrokenOff)?;
            read += chunk.len();
            if read > MAX_BODY {
                discard(&mut chunks).await;
                return Err(Answer::TooLarge);
            }
            proof.update(&chunk);
            if proof.keeps_body() {
                kept.extend_from_slice(&chunk);
            }
        }
        Ok(kept)
    };
    let done = tokio::time::timeout(BODY_TIMEOUT, work).await;
    done.unwrap_or(Err(Answer::TooSlow))
}

/// Reads on for a while: who still sends when the connection ends may not see the answer.
async fn discard(chunks: &mut BodyDataStream) {
    let work = async {
        let mut read = 0;
        while let Some(Ok(chunk)) = chunks.next().await {
            read += chunk.len();
            if read > MAX_DISCARDED {
                return;
            }
        }
    };
    let _ = tokio::time::timeout(DISCARD_TIMEOUT, work).await;
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
