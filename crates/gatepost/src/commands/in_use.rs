//! This file is where it is looked who used a secret lately, and asked, before it is ended.

use std::time::Duration;

use gatepost_operations::failure::Failure;
use gatepost_operations::running;
use gatepost_operations::secrets::SecretView;
use tokio::time::Instant;

use super::desk::Desk;
use super::settings;
use crate::ending::{Exit, Trouble};

/// A secret that was used within this time is in use.
pub(super) const LATELY: Duration = Duration::from_secs(86_400);

/// A server writes down what it counted twice a second, so after so long it has; where very many clients ask and none has
/// a quota it may take a minute, and nobody is to wait for that.
const ONE_FLUSH: Duration = Duration::from_millis(1_100);
const BETWEEN: Duration = Duration::from_millis(100);

/// How to go on where nobody can be asked.
pub(super) const ENDING: &str = "see that whoever uses it has another one, then repeat with --yes";
pub(super) const ROLLING: &str = "give an --overlap in which its user can change over, or repeat with --yes";

/// Goes on if the secret is not in use, or that is confirmed; `used_lately` looks whether it is.
pub(super) async fn confirm(
    desk: &Desk,
    owner: &str,
    fix: &str,
    used_lately: impl AsyncFn() -> Result<Option<SecretView>, Failure>,
) -> Result<(), Trouble> {
    match in_use(desk, used_lately).await? {
        Some(used) => insist(desk, owner, fix, &used),
        None => Ok(()),
    }
}

/// A secret is not called unused before a running server has written down what it counted.
async fn in_use(
    desk: &Desk,
    used_lately: impl AsyncFn() -> Result<Option<SecretView>, Failure>,
) -> Result<Option<SecretView>, Failure> {
    let deadline = Instant::now() + ONE_FLUSH;
    loop {
        let used = used_lately().await?;
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

fn insist(desk: &Desk, owner: &str, fix: &str, used: &SecretView) -> Result<(), Trouble> {
    let when = used.last_used.as_deref().unwrap_or("lately");
    let from = used.last_address.as_deref().map(|address| format!(" from {address}")).unwrap_or_default();
    let label = used.label.as_deref().map(|label| format!(" ({label})")).unwrap_or_default();
    let times = if used.uses == 1 { "once".to_owned() } else { format!("{} times", used.uses) };
    let why = format!("it was last used {when}{from}, {times} in all");

    let question = format!("The secret {}{label} of {owner} is in use: {why}.", used.secret_id);
    desk.output.insist(&question, "yes", || Trouble {
        exit: Exit::Conflict,
        code: "secret.used_lately",
        what: format!("the secret {}{label} was used within 24 hours", used.secret_id),
        why,
        fix: fix.to_owned(),
    })
}
