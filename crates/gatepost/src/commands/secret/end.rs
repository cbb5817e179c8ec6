//! This file is where a secret is ended, after a look at who used it lately.

use std::time::Duration;

use gatepost_operations::failure::Failure;
use gatepost_operations::running;
use gatepost_operations::secrets::{self, Ending, SecretView};
use tokio::time::Instant;
use uuid::Uuid;

use crate::args::SecretEnd;
use crate::commands::desk::Desk;
use crate::commands::settings;
use crate::ending::{Exit, Trouble};

/// A secret that was used within this time is in use.
const LATELY: Duration = Duration::from_secs(86_400);

/// A server writes down what it counted twice a second: after so long it has.
const ONE_FLUSH: Duration = Duration::from_millis(1_100);
const BETWEEN: Duration = Duration::from_millis(100);

/// Ends it; one that is in use only when that is confirmed, or forced.
pub(super) async fn run(desk: &Desk, flags: SecretEnd) -> Result<(), Trouble> {
    let SecretEnd { client, secret, kill_tokens, force } = flags;
    if !force && let Some(used) = used_lately(desk, &client, secret).await? {
        confirm(desk, &client, &used)?;
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

/// Whether the secret is in use; it is not called unused before a running server has written down what it counted.
async fn used_lately(desk: &Desk, client: &str, secret: Uuid) -> Result<Option<SecretView>, Failure> {
    let deadline = Instant::now() + ONE_FLUSH;
    loop {
        let used = secrets::used_lately(&desk.gate, client, secret, LATELY).await?;
        if used.is_some() || !may_be_served(desk) || Instant::now() >= deadline {
            return Ok(used.filter(|view| view.state == "active"));
        }
        tokio::time::sleep(BETWEEN).await;
    }
}

/// Servers on PostgreSQL may run anywhere; one on a SQLite file holds its folder.
fn may_be_served(desk: &Desk) -> bool {
    let config = &desk.gate.config;
    !settings::is_one_process(config) || running::look(&config.data).is_some()
}

fn confirm(desk: &Desk, client: &str, used: &SecretView) -> Result<(), Trouble> {
    let when = used.last_used.as_deref().unwrap_or("lately");
    let from = used.last_address.as_deref().map(|address| format!(" from {address}")).unwrap_or_default();
    let label = used.label.as_deref().map(|label| format!(" ({label})")).unwrap_or_default();
    let times = if used.uses == 1 { "once".to_owned() } else { format!("{} times", used.uses) };
    let why = format!("it was last used {when}{from}, {times} in all");

    let question = format!("The secret {}{label} of {client} is in use: {why}.", used.secret_id);
    desk.output.insist(&question, "yes", || Trouble {
        exit: Exit::Conflict,
        code: "secret.used_lately",
        what: format!("the secret {}{label} was used within 24 hours", used.secret_id),
        why,
        fix: "see that whoever uses it has another one, then repeat with --yes".to_owned(),
    })
}
