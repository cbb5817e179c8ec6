//! This file is where tests hold the signing threads back, so that requests wait for as long as a test likes.

use super::Pool;

impl Pool {
    /// Has requests wait in the queue, with nobody to sign for them until [`Pool::let_go`]; whether it was in time, which is
    /// before the first signature.
    pub(crate) fn hold(&self) -> bool {
        // Only that there are threads is ever looked at.
        let nobody = std::thread::spawn(|| ());
        self.running.set(vec![nobody]).is_ok()
    }

    /// Starts the threads that were held back; they end with the pool.
    pub(crate) fn let_go(&self) {
        drop(self.start());
    }
}
