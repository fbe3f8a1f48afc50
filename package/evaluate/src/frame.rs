//! What parent and child say to each other: a byte that says what follows, a length, and so many bytes.

use crate::program::{Program, Stopped};
use std::io::{self, Read, Write};

/// The most bytes that follow: a package has at most 100 MiB of files, of which few are evaluated.
const MOST: u32 = 128 << 20;

/// What the child is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Order {
    /// Compile or load the program.
    Prepare(Program),
    /// Run it with this request.
    Run(Program, Vec<u8>),
}

/// What the child answers, once for each order.
pub(crate) type Answer = Result<Vec<u8>, Stopped>;

pub(crate) fn write_order(to: &mut impl Write, order: &Order) -> io::Result<()> {
    match order {
        Order::Prepare(program) => write(to, *program as u8, &[]),
        Order::Run(program, request) => write(to, *program as u8 | RUN, request),
    }
}

/// The next order; `None` where the parent is gone.
pub(crate) fn read_order(from: &mut impl Read) -> io::Result<Option<Order>> {
    let Some((kind, bytes)) = read(from)? else {
        return Ok(None);
    };
    let program = Program::ALL
        .into_iter()
        .find(|program| *program as u8 == kind & !RUN)
        .ok_or_else(|| malformed("an unknown program"))?;
    Ok(Some(match kind & RUN {
        RUN => Order::Run(program, bytes),
        _ => Order::Prepare(program),
    }))
}

pub(crate) fn write_answer(to: &mut impl Write, answer: &Answer) -> io::Result<()> {
    match answer {
        Ok(bytes) => write(to, ANSWER, bytes),
        Err(Stopped::Fuel) => write(to, FUEL, &[]),
        Err(Stopped::Memory) => write(to, MEMORY, &[]),
        Err(Stopped::Stack) => write(to, STACK, &[]),
        Err(Stopped::Output) => write(to, OUTPUT, &[]),
        Err(Stopped::Failed(reason)) => write(to, FAILED, reason.as_bytes()),
        Err(Stopped::Unavailable(reason)) => write(to, UNAVAILABLE, reason.as_bytes()),
    }
}

pub(crate) fn read_answer(from: &mut impl Read) -> io::Result<Answer> {
    let Some((kind, bytes)) = read(from)? else {
        return Err(io::ErrorKind::UnexpectedEof.into());
    };
    let text = || String::from_utf8_lossy(&bytes).into_owned();
    Ok(match kind {
        ANSWER => Ok(bytes),
        FUEL => Err(Stopped::Fuel),
        MEMORY => Err(Stopped::Memory),
        STACK => Err(Stopped::Stack),
        OUTPUT => Err(Stopped::Output),
        FAILED => Err(Stopped::Failed(text())),
        UNAVAILABLE => Err(Stopped::Unavailable(text())),
        _ => return Err(malformed("an unknown kind of answer")),
    })
}

const RUN: u8 = 0x80;
const ANSWER: u8 = 0;
const FUEL: u8 = 1;
const MEMORY: u8 = 2;
const STACK: u8 = 3;
const OUTPUT: u8 = 4;
const FAILED: u8 = 5;
const UNAVAILABLE: u8 = 6;

fn write(to: &mut impl Write, kind: u8, bytes: &[u8]) -> io::Result<()> {
    let length = u32::try_from(bytes.len()).ok().filter(|n| *n <= MOST);
    let length = length.ok_or_else(|| malformed("too long a message"))?;
    to.write_all(&[kind])?;
    to.write_all(&length.to_le_bytes())?;
    to.write_all(bytes)?;
    to.flush()
}

fn read(from: &mut impl Read) -> io::Result<Option<(u8, Vec<u8>)>> {
    let mut head = [0; 5];
    if from.read(&mut head[..1])? == 0 {
        return Ok(None);
    }
    from.read_exact(&mut head[1..])?;
    let [kind, length @ ..] = head;
    let length = u32::from_le_bytes(length);
    if length > MOST {
        return Err(malformed("too long a message"));
    }
    let mut bytes = Vec::new();
    from.take(length.into()).read_to_end(&mut bytes)?;
    if bytes.len() < length as usize {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    Ok(Some((kind, bytes)))
}

fn malformed(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() -> io::Result<()> {
        for order in [
            Order::Prepare(Program::Cue),
            Order::Run(Program::Templates, b"{}".to_vec()),
            Order::Run(Program::Cue, Vec::new()),
        ] {
            let mut bytes = Vec::new();
            write_order(&mut bytes, &order)?;
            assert_eq!(read_order(&mut &bytes[..])?, Some(order));
        }
        for answer in [
            Ok(b"x".to_vec()),
            Err(Stopped::Fuel),
            Err(Stopped::Memory),
            Err(Stopped::Stack),
            Err(Stopped::Output),
            Err(Stopped::Failed("a".to_owned())),
            Err(Stopped::Unavailable("b".to_owned())),
        ] {
            let mut bytes = Vec::new();
            write_answer(&mut bytes, &answer)?;
            assert_eq!(read_answer(&mut &bytes[..])?, answer);
        }
        Ok(())
    }

    #[test]
    fn the_end_is_told_from_a_part() -> io::Result<()> {
        assert_eq!(read_order(&mut &b""[..])?, None);
        for part in [
            &b"\x81"[..],
            b"\x81\x02\0\0\0x",
            b"\x83\0\0\0\0",
            b"\x81\xff\xff\xff\xff",
        ] {
            assert!(read_order(&mut &part[..]).is_err(), "{part:?}");
        }
        assert!(read_answer(&mut &b""[..]).is_err());
        Ok(())
    }
}
