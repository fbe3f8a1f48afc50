//! The files of one addon while they are read, wherever they lie: within bounds, and with everything in
//! them that an addon cannot have. The package's own bounds are narrower and are checked later.

use api::crd::source::Finding;

/// The file that makes a directory an addon.
pub const MANIFEST: &str = package::manifest::FILE;
/// The most bytes of one file.
pub const MAX_FILE_BYTES: u64 = 4 << 20;
const MAX_FILES: usize = 2_000;
const MAX_BYTES: u64 = 32 << 20;
const MAX_DEPTH: usize = 8;
/// How a pointer to a file in Git LFS begins.
const LFS: &[u8] = b"version https://git-lfs.github.com/spec/";

/// Paths relative to the addon's directory, and bytes.
pub type Files = Vec<(String, Vec<u8>)>;

/// What was read so far.
#[derive(Debug, Default)]
pub struct Collector {
    files: Files,
    /// Those of all files, with those that are too large to be read.
    bytes: u64,
    findings: Vec<Finding>,
}

impl Collector {
    /// Whether the directory `path` is to be read, which lies `depth` directories below the addon's; too
    /// deep a one is refused.
    pub fn enters(&mut self, path: &str, depth: usize) -> bool {
        if depth > MAX_DEPTH {
            self.refuse(path, format!("deeper than {MAX_DEPTH} directories"));
        }
        depth <= MAX_DEPTH
    }

    /// Whether the file `path` of `size` bytes is to be read; too large a one is refused.
    pub fn admits(&mut self, path: &str, size: u64) -> bool {
        self.bytes = self.bytes.saturating_add(size);
        if size > MAX_FILE_BYTES {
            self.refuse(path, format!("more than {MAX_FILE_BYTES} bytes"));
            return false;
        }
        !self.is_full()
    }

    /// Takes the file `path`, which was admitted.
    pub fn add(&mut self, path: &str, bytes: Vec<u8>) {
        if bytes.starts_with(LFS) {
            let why = "a pointer to Git LFS; put the file itself here";
            self.refuse(path, why);
        } else {
            self.files.push((path.to_owned(), bytes));
        }
    }

    /// Whether a bound is reached; it is said once.
    pub fn is_full(&mut self) -> bool {
        let why = if self.files.len() >= MAX_FILES {
            format!("more than {MAX_FILES} files")
        } else if self.bytes > MAX_BYTES {
            format!("more than {MAX_BYTES} bytes")
        } else {
            return self.findings.len() >= MAX_FILES;
        };
        if !self.findings.iter().any(|finding| finding.message == why) {
            self.refuse("", why);
        }
        true
    }

    /// Notes that `file` cannot be part of an addon: empty for the addon as a whole.
    pub fn refuse(&mut self, file: &str, message: impl Into<String>) {
        self.findings.push(finding(file, message));
    }

    /// The files in the order in which they came.
    ///
    /// # Errors
    /// Everything that an addon cannot have.
    pub fn finish(self) -> Result<Files, Vec<Finding>> {
        match self.findings.is_empty() {
            true => Ok(self.files),
            false => Err(self.findings),
        }
    }
}

/// That `file` is what `message` says.
pub fn finding(file: &str, message: impl Into<String>) -> Finding {
    Finding {
        file: file.to_owned(),
        message: message.into(),
        ..Finding::default()
    }
}

/// Whether an entry of a directory counts: those whose names begin with a dot do not.
pub fn is_visible(name: &str) -> bool {
    !name.starts_with('.')
}

/// The path of `name` in the directory `path`, which is empty for the addon's own.
pub fn joined(path: &str, name: &str) -> String {
    match path.is_empty() {
        true => name.to_owned(),
        false => format!("{path}/{name}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(collector: Collector) -> Vec<String> {
        let findings = collector.finish().unwrap_err();
        findings.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn files_come_out_as_they_came() {
        let mut collector = Collector::default();
        assert!(collector.enters("a", MAX_DEPTH) && collector.admits("a/b", MAX_FILE_BYTES));
        collector.add("a/b", vec![1]);
        assert_eq!(collector.finish(), Ok(vec![("a/b".to_owned(), vec![1])]));
    }

    #[test]
    fn every_bound_is_said_once() {
        let mut collector = Collector::default();
        assert!(!collector.enters("deep", MAX_DEPTH + 1));
        assert!(!collector.admits("large", MAX_FILE_BYTES + 1));
        let pointer = [LFS, b"v1\n"].concat();
        assert!(collector.admits("icon.png", pointer.len() as u64));
        collector.add("icon.png", pointer);
        let wants = [
            "deep: deeper than 8 directories",
            "large: more than 4194304 bytes",
            "icon.png: a pointer to Git LFS; put the file itself here",
        ];
        assert_eq!(told(collector), wants);

        let mut many = Collector::default();
        for n in 0..=MAX_FILES {
            if !many.is_full() {
                many.add(&n.to_string(), Vec::new());
            }
        }
        assert!(many.is_full());
        assert_eq!(told(many), ["more than 2000 files"]);

        let mut heavy = Collector::default();
        let admitted = (0..9).filter(|_| heavy.admits("x", MAX_FILE_BYTES));
        assert_eq!(admitted.count(), 8);
        assert!(heavy.is_full());
        assert_eq!(told(heavy), ["more than 33554432 bytes"]);
    }
}
