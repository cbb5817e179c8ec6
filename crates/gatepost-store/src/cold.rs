//! This file is where it is noted which clients are to be read ahead, so that the first request for one costs no read.
//!
//! The idea: whoever is asked for in vain can be told by time from whoever is not in the store, if asking costs a read.
//! So all are read at the start, as far as there is room, and those that changed after the change.

use std::collections::HashSet;
use std::sync::{Mutex, MutexGuard, PoisonError};

use gatepost_core::clients::ClientId;
use tokio::sync::Notify;

/// More than this many are not noted one by one.
const MOST: usize = 10_000;

/// Who is to be read ahead.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Wanted {
    /// As many as there is room for.
    Everyone,
    /// These.
    These(HashSet<ClientId>),
}

/// Who is to be read ahead, noted until somebody does.
pub(crate) struct Cold {
    wanted: Mutex<Wanted>,
    woken: Notify,
}

impl Cold {
    /// Nobody was read yet.
    pub(crate) fn everyone() -> Self {
        Self { wanted: Mutex::new(Wanted::Everyone), woken: Notify::new() }
    }

    /// These are to be read ahead too.
    pub(crate) fn note(&self, ids: impl IntoIterator<Item = ClientId>) {
        let mut wanted = self.wanted();
        if let Wanted::These(these) = &mut *wanted {
            these.extend(ids);
            if these.len() > MOST {
                *wanted = Wanted::Everyone;
            }
        }
        drop(wanted);
        self.woken.notify_one();
    }

    /// Everyone is to be read ahead.
    pub(crate) fn note_everyone(&self) {
        *self.wanted() = Wanted::Everyone;
        self.woken.notify_one();
    }

    /// Who is to be read; from now on nobody is.
    pub(crate) fn take(&self) -> Wanted {
        std::mem::replace(&mut *self.wanted(), Wanted::These(HashSet::new()))
    }

    /// They could not be read.
    pub(crate) fn give_back(&self, wanted: Wanted) {
        match wanted {
            Wanted::Everyone => self.note_everyone(),
            Wanted::These(these) => self.note(these),
        }
    }

    /// Returns once someone is to be read.
    pub(crate) async fn any(&self) {
        while *self.wanted() == Wanted::These(HashSet::new()) {
            self.woken.notified().await;
        }
    }

    fn wanted(&self) -> MutexGuard<'_, Wanted> {
        self.wanted.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn too_many_are_everyone_and_what_is_given_back_is_not_lost() {
        let cold = Cold::everyone();
        let id = |number: usize| ClientId::parse(&format!("c{number}")).unwrap();
        assert_eq!(cold.take(), Wanted::Everyone);

        cold.note([id(1)]);
        let first = cold.take();
        cold.note([id(2)]);
        cold.give_back(first);
        assert_eq!(cold.take(), Wanted::These(HashSet::from([id(1), id(2)])));
        cold.note((0..MOST).map(id));
        cold.note([id(MOST)]);
        assert_eq!(cold.take(), Wanted::Everyone);
    }
}
