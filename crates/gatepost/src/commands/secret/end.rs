//! This file is where a secret is ended, after a look at who used it lately.

use gatepost_operations::secrets::{self, Ending};

use crate::args::SecretEnd;
use crate::commands::desk::Desk;
use crate::commands::in_use;
use crate::ending::Trouble;

/// Ends it; one that is in use only when that is confirmed, or forced.
pub(super) async fn run(desk: &Desk, flags: SecretEnd) -> Result<(), Trouble> {
    let SecretEnd { client, secret, kill_tokens, force } = flags;
    if !force {
        let asked = async || secrets::used_lately(&desk.gate, &client, secret, in_use::LATELY).await;
        in_use::confirm(desk, &client, in_use::ENDING, asked).await?;
    }
    secrets::end(&desk.gate, &desk.actor, &client, secret, Ending { force, kill_tokens }).await?;

    let all = secrets::list(&desk.gate, &client).await?;
    let ended = all.iter().find(|known| known.secret_id == secret);
    let ended =
        ended.ok_or_else(|| Trouble::internal("secret.vanished", "the ended secret is no longer listed"))?;
    desk.output.show(ended)?;
    if !kill_tokens {
        desk.output.next(&format!(
            "Tokens that were got with it live on. End them all: gatepost token revoke --client {client}"
        ));
    }
    Ok(())
}
