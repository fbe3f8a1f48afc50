//! How far an upload is, for those who show it.
//!
//! In: what is to be sent, as far as it is known, and what was sent. Out: a [`Moved`] after each piece,
//! told by the thread that sends it. What was handed to the system counts as sent: a slow line is that
//! much behind.

use bytes::Bytes;
use hyper::body::{Body, Frame, SizeHint};
use std::{
    fmt,
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll, ready},
};

/// The most that is sent before it is told.
const PIECE: usize = 8 << 10;

/// How far it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Moved {
    /// The bytes that are there: sent, or found there.
    pub bytes: u64,
    /// All that are to be there, as far as it is known by now.
    pub total: u64,
}

/// Who is told how far it is; nobody by default.
#[derive(Clone, Default)]
pub struct Meter(Option<Arc<Told>>);

struct Told {
    moved: Mutex<Moved>,
    tell: Box<dyn Fn(Moved) + Send + Sync>,
}

impl Meter {
    /// One that tells `tell`, which must not take long.
    pub fn new(tell: impl Fn(Moved) + Send + Sync + 'static) -> Self {
        Self(Some(Arc::new(Told {
            moved: Mutex::default(),
            tell: Box::new(tell),
        })))
    }

    /// So many bytes more are to be there.
    pub(super) fn expect(&self, bytes: u64) {
        self.change(|moved| moved.total += bytes);
    }

    /// So many bytes more are there.
    pub(super) fn moved(&self, bytes: u64) {
        self.change(|moved| moved.bytes += bytes);
    }

    fn change(&self, change: impl FnOnce(&mut Moved)) {
        if let Some(told) = &self.0 {
            let mut moved = told.moved.lock().unwrap_or_else(PoisonError::into_inner);
            change(&mut moved);
            (told.tell)(*moved);
        }
    }

    /// `body`, counted while it is sent; as it is, so that it can be sent again, where nobody is told.
    pub(super) fn counted(&self, body: reqwest::Body) -> reqwest::Body {
        if self.0.is_none() {
            return body;
        }
        reqwest::Body::wrap(Counted {
            body,
            rest: Bytes::new(),
            meter: self.clone(),
        })
    }
}

impl fmt::Debug for Meter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Meter")
    }
}

/// A body that is counted while it is sent.
struct Counted {
    body: reqwest::Body,
    /// What came of it and was not sent yet.
    rest: Bytes,
    meter: Meter,
}

impl Body for Counted {
    type Data = Bytes;
    type Error = reqwest::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, reqwest::Error>>> {
        while self.rest.is_empty() {
            let Some(frame) = ready!(Pin::new(&mut self.body).poll_frame(context)) else {
                return Poll::Ready(None);
            };
            match frame?.into_data() {
                Ok(data) => self.rest = data,
                Err(trailers) => return Poll::Ready(Some(Ok(trailers))),
            }
        }
        let length = self.rest.len().min(PIECE);
        let piece = self.rest.split_to(length);
        self.meter.moved(length as u64);
        Poll::Ready(Some(Ok(Frame::data(piece))))
    }

    fn is_end_stream(&self) -> bool {
        self.rest.is_empty() && self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        match self.body.size_hint().exact() {
            Some(left) => SizeHint::with_exact(left + self.rest.len() as u64),
            None => SizeHint::default(),
        }
    }
}
