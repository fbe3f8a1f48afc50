//! When somebody saved something in a directory.

use anyhow::Context as _;
use notify::{EventKind, RecommendedWatcher, RecursiveMode, Watcher as _};
use std::{path::Path, time::Duration};
use tokio::{sync::mpsc, time::timeout};

/// Editors save in several steps, and several files at once: it is saved when it was quiet so long.
const QUIET: Duration = Duration::from_millis(120);

/// The saves of one directory.
pub(super) struct Saves {
    changes: mpsc::UnboundedReceiver<()>,
    /// Whether something was saved that was not told yet.
    pending: bool,
    /// It watches as long as it lives.
    _watcher: RecommendedWatcher,
}

impl Saves {
    /// The saves of `directory`, from now on.
    ///
    /// # Errors
    /// The system does not watch it.
    pub(super) fn of(directory: &Path) -> anyhow::Result<Self> {
        let (tell, changes) = mpsc::unbounded_channel();
        let root = directory.canonicalize();
        let root = root.with_context(|| format!("cannot watch `{}`", directory.display()))?;
        let below = root.clone();
        let heard = move |event: notify::Result<notify::Event>| {
            let is_change = match event {
                Ok(event) if matches!(event.kind, EventKind::Access(_)) => false,
                Ok(event) => event.paths.iter().any(|path| is_part(path, &below)),
                // It may have missed something.
                Err(_) => true,
            };
            if is_change {
                let _ = tell.send(());
            }
        };
        let mut watcher = notify::recommended_watcher(heard)?;
        watcher
            .watch(&root, RecursiveMode::Recursive)
            .with_context(|| format!("cannot watch `{}`", directory.display()))?;
        Ok(Self {
            changes,
            pending: false,
            _watcher: watcher,
        })
    }

    /// Resolves when something was saved and it is quiet again. Who stops waiting loses nothing: the
    /// next call tells it.
    pub(super) async fn next(&mut self) {
        if !self.pending && self.changes.recv().await.is_none() {
            std::future::pending::<()>().await;
        }
        self.pending = true;
        while let Ok(Some(())) = timeout(QUIET, self.changes.recv()).await {}
        self.pending = false;
    }
}

/// Whether a file is part of the addon: names that begin with a dot are not, nor are the copies that
/// editors keep.
fn is_part(path: &Path, root: &Path) -> bool {
    let below = path.strip_prefix(root).unwrap_or(path);
    let mut names = below.iter().map(|name| name.to_string_lossy());
    !names.any(|name| name.starts_with('.') || name.ends_with('~'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn several_writes_are_one_save_and_hidden_files_none() {
        let directory = tempfile::tempdir().unwrap();
        let mut saves = Saves::of(directory.path()).unwrap();
        let write = |name: &str| std::fs::write(directory.path().join(name), "x").unwrap();
        write(".addon.yaml.swp");
        write("addon.yaml~");
        assert!(timeout(QUIET * 4, saves.next()).await.is_err());
        std::fs::create_dir(directory.path().join("scripts")).unwrap();
        write("addon.yaml");
        write("README.md");
        saves.next().await;
        assert!(timeout(QUIET * 4, saves.next()).await.is_err());
        write("scripts/start.sh");
        // Whoever looked away meanwhile is told it too.
        assert!(timeout(QUIET / 2, saves.next()).await.is_err());
        timeout(Duration::from_secs(10), saves.next())
            .await
            .unwrap();
    }
}
