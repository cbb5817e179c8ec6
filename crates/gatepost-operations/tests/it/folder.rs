//! This file is where a start is refused on a folder that is not safe, or whose state is lost.

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt as _;

use gatepost_operations::failure::Kind;

use crate::stage::{Stage, try_open};

#[tokio::test]
async fn a_folder_that_others_may_write_in_is_not_served() {
    let stage = Stage::empty().await;
    std::fs::set_permissions(stage.folder.path(), Permissions::from_mode(0o770)).unwrap();

    let refused = try_open(stage.folder.path(), &stage.hands).await.err().unwrap();
    assert_eq!((refused.kind, refused.code), (Kind::Configuration, "data.open"));
    assert!(refused.fix.starts_with("chmod go-w "), "{}", refused.fix);
}

#[tokio::test]
async fn a_master_key_that_was_in_use_begins_no_new_store_silently() {
    let stage = Stage::empty().await;
    stage.gate.close().await;
    for file in ["gatepost.db", "gatepost.db-wal", "gatepost.db-shm"] {
        let _ = std::fs::remove_file(stage.folder.path().join(file));
    }

    // Twice: the refusal itself leaves nothing behind that would pass for a state.
    for _ in 0..2 {
        let refused = try_open(stage.folder.path(), &stage.hands).await.err().unwrap();
        assert_eq!((refused.kind, refused.code), (Kind::Configuration, "store.lost"));
    }
    assert!(!stage.folder.path().join("gatepost.db").exists());

    std::fs::remove_file(stage.folder.path().join("master.key.adopted")).unwrap();
    assert!(
        try_open(stage.folder.path(), &stage.hands).await.is_ok(),
        "a key that was never in use begins a store"
    );
}
