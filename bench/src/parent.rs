//! This file is where a process that the harness started learns that the harness is gone, though it was killed: the pipe
//! that is its standard input ends.

use std::io::Read as _;

/// Does that once standard input has ended; a thread of its own sleeps until then.
pub(crate) fn when_gone(then: impl FnOnce() + Send + 'static) {
    std::thread::spawn(move || {
        let mut nothing = [0; 64];
        // Whatever is written there means nothing, and what can't be read has ended.
        while std::io::stdin().read(&mut nothing).is_ok_and(|length| length > 0) {}
        then();
    });
}
