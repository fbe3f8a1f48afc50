//! The action table in use: what this pod may be asked to run, as every container of it sees it.
//!
//! The content ConfigMap is mounted where the content is followed, in the init container and the
//! sidecar. Those put the table where the main container sees it too, after the scripts it names.

use crate::atomic;
use crate::root::Root;
use api::agent::{Action, ActionTable, TABLE_FILE};
use std::fs;
use std::io;

/// Every container of the pod reads it; nobody writes it but the init container and the sidecar.
const MODE: u32 = 0o644;

/// The table cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum TableError {
    /// The file cannot be read.
    #[error("cannot read {TABLE_FILE}")]
    Read(#[source] io::Error),
    /// The file is not what this agent reads.
    #[error("{TABLE_FILE} is no action table")]
    Parse(#[source] serde_json::Error),
    /// The file cannot be replaced.
    #[error("cannot write {TABLE_FILE}")]
    Write(#[source] io::Error),
}

/// The table has no such action.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no action `{name}`: this pod's are {}", known.join(", "))]
pub struct UnknownAction {
    /// What was asked for.
    pub name: String,
    /// The names in the table, sorted; «none» alone where it has no action.
    pub known: Vec<String>,
}

/// The table in use; an empty one where nobody has written one.
///
/// # Errors
/// [`TableError::Read`], [`TableError::Parse`].
pub fn in_use(root: &Root) -> Result<ActionTable, TableError> {
    match fs::read(root.at(TABLE_FILE)) {
        Ok(bytes) => serde_json::from_slice(&bytes).map_err(TableError::Parse),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(ActionTable::default()),
        Err(error) => Err(TableError::Read(error)),
    }
}

/// Makes `table` the one in use.
///
/// # Errors
/// [`TableError::Write`].
pub fn place(root: &Root, table: &ActionTable) -> Result<(), TableError> {
    serde_json::to_vec(table)
        .map_err(io::Error::from)
        .and_then(|bytes| atomic::settle(&root.at(TABLE_FILE), &bytes, MODE))
        .map(drop)
        .map_err(TableError::Write)
}

/// The action named `name`.
///
/// # Errors
/// [`UnknownAction`], with the names that there are.
pub fn find<'a>(table: &'a ActionTable, name: &str) -> Result<&'a Action, UnknownAction> {
    table.actions.get(name).ok_or_else(|| {
        let mut known: Vec<String> = table.actions.keys().cloned().collect();
        if known.is_empty() {
            known.push("none".to_owned());
        }
        UnknownAction {
            name: name.to_owned(),
            known,
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(names: &[&str]) -> ActionTable {
        let action = Action {
            command: vec!["true".to_owned()],
            signal: None,
            place: Default::default(),
            timeout_millis: 1000,
        };
        let actions = names
            .iter()
            .map(|name| ((*name).to_owned(), action.clone()));
        ActionTable {
            actions: actions.collect(),
            ..ActionTable::default()
        }
    }

    #[test]
    fn what_is_placed_is_in_use() {
        let dir = tempfile::tempdir().unwrap();
        let root = Root::under(dir.path());
        fs::create_dir(root.at(api::agent::AGENT_DIR)).unwrap();
        assert_eq!(in_use(&root).unwrap(), ActionTable::default());
        place(&root, &named(&["reload"])).unwrap();
        assert_eq!(in_use(&root).unwrap(), named(&["reload"]));
        fs::write(root.at(TABLE_FILE), "{").unwrap();
        assert!(matches!(in_use(&root), Err(TableError::Parse(_))));
    }

    #[test]
    fn an_unknown_action_is_answered_with_the_known_ones() {
        let table = named(&["reload", "backup"]);
        assert!(find(&table, "backup").is_ok());
        let unknown = find(&table, "back-up").unwrap_err().to_string();
        assert_eq!(
            unknown,
            "no action `back-up`: this pod's are backup, reload"
        );
        let none = find(&named(&[]), "backup").unwrap_err().to_string();
        assert_eq!(none, "no action `backup`: this pod's are none");
    }
}
