//! This file is where the best raw figure of this machine is kept, so that a run on a busy day is found void.
//!
//! The harness keeps them beside what it is built into; the command of the product keeps none, and none is the judge there.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use crate::failure::{Failure, Outcome};
use crate::processor::{Placement, masked};
use crate::subject::Subject;

/// A raw figure below this share of the stored one says that something else used the machine.
const ACCEPTABLE: f64 = 0.85;

/// Raw signatures a second by algorithm, placement and what the processor is made to look like.
#[derive(Debug)]
pub(crate) struct Figures {
    path: PathBuf,
    masked: Option<String>,
    best: BTreeMap<String, f64>,
}

impl Figures {
    /// A missing or foreign file is an empty one: the first run makes it.
    pub(crate) fn open(path: &Path) -> Self {
        Self::of(path, masked())
    }

    fn of(path: &Path, masked: Option<String>) -> Self {
        let text = fs::read(path).unwrap_or_default();
        Self { path: path.to_owned(), masked, best: serde_json::from_slice(&text).unwrap_or_default() }
    }

    /// Why a run with this raw figure is void, when it is; a better figure is kept.
    pub(crate) fn judge(
        &mut self,
        subject: Subject,
        placement: Placement,
        raw: f64,
    ) -> Outcome<Option<String>> {
        let mut name = format!("{} on {} cores", subject.name(), placement.cores());
        if let Some(mask) = &self.masked {
            name = format!("{name} with {mask}");
        }
        let best = self.best.get(&name).copied().unwrap_or_default();
        if raw > best {
            self.best.insert(name, raw);
            self.keep()?;
        }
        let void = raw < best * ACCEPTABLE;
        Ok(void.then(|| format!("raw signing made {raw:.0}/s where this machine has made {best:.0}/s")))
    }

    fn keep(&self) -> Outcome<()> {
        let failed = |why: String| Failure::new(&self.path.display().to_string(), why);
        if let Some(folder) = self.path.parent() {
            fs::create_dir_all(folder).map_err(|why| failed(why.to_string()))?;
        }
        let text = serde_json::to_vec_pretty(&self.best).map_err(|why| failed(why.to_string()))?;
        fs::write(&self.path, text).map_err(|why| failed(why.to_string()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_far_below_the_machines_best_is_void() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("deep/raw.json");
        let judge =
            |raw| Figures::open(&path).judge(Subject::Es256, Placement::Apart, raw).expect("writable");
        assert_eq!(judge(1000.0), None, "the first run sets the figure");
        assert_eq!(judge(860.0), None);
        assert!(judge(840.0).is_some_and(|why| why.contains("1000/s")));
        assert_eq!(judge(1100.0), None);
        assert!(judge(860.0).is_some(), "the better figure was kept");
        let mut other = Figures::of(&path, Some("fewer instructions".to_owned()));
        let void = other.judge(Subject::Es256, Placement::Apart, 300.0).expect("writable");
        assert_eq!(void, None, "a processor that may do less is another one");
    }
}
