//! The records of a PAX extended header (POSIX.1-2017, pax, «pax Header Block»): `LEN KEY=VALUE\n`,
//! one after the other. Only what names, sizes or shapes a file is of interest; times, owners,
//! comments and attributes are not.

const NONE: &str = "a PAX header that cannot be read";

/// What the records of one header say of the file that follows.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Records {
    pub(super) path: Option<Vec<u8>>,
    pub(super) size: Option<u64>,
    pub(super) link: bool,
    pub(super) sparse: bool,
}

impl Records {
    /// The records that `data` is.
    ///
    /// # Errors
    /// It is none, or says two things.
    pub(super) fn parse(mut data: &[u8]) -> Result<Self, &'static str> {
        let mut records = Self::default();
        while !data.is_empty() {
            let (record, rest) = first(data).ok_or(NONE)?;
            let equals = record.iter().position(|b| *b == b'=');
            let (key, value) = record.split_at(equals.ok_or(NONE)?);
            records.note(key, &value[1..])?;
            data = rest;
        }
        Ok(records)
    }

    /// Whether they say nothing of any file: what a global header must be, such as `git archive`
    /// writes one with the commit.
    pub(super) fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    fn note(&mut self, key: &[u8], value: &[u8]) -> Result<(), &'static str> {
        match key {
            b"" => return Err(NONE),
            b"path" if self.path.is_some() => return Err("a PAX header with two paths"),
            b"path" => self.path = Some(value.to_vec()),
            b"size" if self.size.is_some() => return Err("a PAX header with two sizes"),
            b"size" => self.size = Some(number(value).ok_or("a PAX size that is no number")?),
            b"linkpath" => self.link = true,
            b"SCHILY.realsize" => self.sparse = true,
            _ => self.sparse |= key.starts_with(b"GNU.sparse."),
        }
        Ok(())
    }
}

/// `KEY=VALUE` of the first record, and what follows it.
fn first(data: &[u8]) -> Option<(&[u8], &[u8])> {
    let blank = data.iter().position(|b| *b == b' ')?;
    let length = usize::try_from(number(data.get(..blank)?)?).ok()?;
    let record = data.get(blank + 1..length)?;
    let record = record.strip_suffix(b"\n")?;
    Some((record, data.get(length..)?))
}

/// Decimal digits and nothing else.
fn number(digits: &[u8]) -> Option<u64> {
    let all = !digits.is_empty() && digits.iter().all(u8::is_ascii_digit);
    let text = std::str::from_utf8(digits).ok().filter(|_| all)?;
    text.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_tar_writes() {
        let data = b"30 mtime=1700000000.123456789\n20 path=scripts/\xc3\xa4b\n9 size=7\n";
        let records = Records::parse(data).unwrap();
        assert_eq!(records.path.as_deref(), Some("scripts/äb".as_bytes()));
        assert_eq!(records.size, Some(7));
        let commit = b"52 comment=0123456789012345678901234567890123456789\n";
        assert!(Records::parse(commit).unwrap().is_empty());
        // The length counts itself, and a value may hold anything.
        let value = Records::parse(b"12 path=a\nb\n").unwrap();
        assert_eq!(value.path.as_deref(), Some(&b"a\nb"[..]));
        assert!(Records::parse(b"22 GNU.sparse.major=1\n").unwrap().sparse);
    }

    #[test]
    fn refuses_what_readers_take_differently() {
        for bad in [
            &b"9 path=ab\n"[..],
            b"12 path=ab\n",
            b"+10 path=ab\n",
            b" 10 path=ab\n",
            b"010 path=ab",
            b"4 =\n",
            b"5 a\n",
            b"10 size=+1\n",
            b"8 size=\n",
            b"99999999999999999999 a=b\n",
            b"9 path=a\n9 path=b\n",
            b"9 size=1\n9 size=1\n",
            b"\n",
            b"0 ",
        ] {
            let read = Records::parse(bad);
            assert!(read.is_err(), "{}: {read:?}", String::from_utf8_lossy(bad));
        }
    }
}
