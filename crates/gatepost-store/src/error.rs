//! This file is where it is said what can go wrong with the store, in words that help to mend it.

/// What went wrong with the store.
#[derive(Debug, Clone, thiserror::Error)]
pub enum StoreError {
    /// The change was decided on a state that has moved on, or a unique name is taken; the text names what.
    #[error("{0}")]
    Conflict(String),
    /// What should be changed is not there; the text names what.
    #[error("{0}")]
    NotFound(String),
    /// The engine can't be reached, is overloaded or out of space; trying again later may help.
    #[error("the store is not available: {0}")]
    Unavailable(String),
    /// The store is there but can't be read as ours: damaged, too new, no database, no permission.
    #[error("the store can't be read: {0}")]
    Unreadable(String),
}
