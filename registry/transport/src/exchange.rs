//! What libgit2 reads and writes becomes requests of its [`Call`].

use crate::{Error, call::Call, http};
use git2::transport::{Service, SmartSubtransport, SmartSubtransportStream};
use std::{
    io::{self, Read, Write},
    sync::Arc,
};

/// libgit2's view of a [`Call`].
pub(crate) struct Subtransport(Arc<Call>);

impl Subtransport {
    /// The transport of the call that this thread is in.
    pub(crate) fn of_this_call() -> Result<Self, git2::Error> {
        Call::current()
            .map(Self)
            .ok_or_else(|| git2::Error::from_str("Git over HTTP outside of a call"))
    }
}

impl SmartSubtransport for Subtransport {
    fn action(
        &self,
        _url: &str,
        service: Service,
    ) -> Result<Box<dyn SmartSubtransportStream>, git2::Error> {
        let turn = match service {
            Service::UploadPackLs => Turn::List,
            Service::UploadPack => Turn::Ask(Vec::new()),
            Service::ReceivePackLs | Service::ReceivePack => {
                return Err(git2::Error::from_str("pushing is not supported"));
            }
        };
        Ok(Box::new(Stream {
            call: Arc::clone(&self.0),
            turn,
        }))
    }

    fn close(&self) -> Result<(), git2::Error> {
        Ok(())
    }
}

/// One request and its answer.
struct Stream {
    call: Arc<Call>,
    turn: Turn,
}

enum Turn {
    /// To be asked for the references.
    List,
    /// What is to be sent.
    Ask(Vec<u8>),
    /// What is answered.
    Answer(http::Answer),
}

impl Stream {
    fn answer(&mut self) -> Result<&mut http::Answer, Error> {
        let response = match &mut self.turn {
            Turn::Answer(_) => None,
            Turn::List => Some(self.call.advertisement()?),
            Turn::Ask(body) => Some(self.call.upload_pack(std::mem::take(body))?),
        };
        if let Some(response) = response {
            self.turn = Turn::Answer(response);
        }
        match &mut self.turn {
            Turn::Answer(response) => Ok(response),
            Turn::List | Turn::Ask(_) => Err(self.call.timed_out("waiting for an answer")),
        }
    }
}

impl Read for Stream {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let call = Arc::clone(&self.call);
        self.answer()
            .and_then(|response| call.read(response, buffer))
            .map_err(|error| call.fail(error))
    }
}

impl Write for Stream {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match &mut self.turn {
            Turn::Ask(body) => body.extend_from_slice(bytes),
            Turn::List | Turn::Answer(_) => {
                return Err(io::Error::other("written out of turn"));
            }
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
