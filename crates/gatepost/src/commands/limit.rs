//! This file is where the commands about limits are carried out.

use gatepost_operations::limits::{self, ClearLimits, SetLimits};

use super::desk::Desk;
use crate::args::{LimitClear, LimitCommand, LimitSet};
use crate::ending::Trouble;

const COLUMNS: [&str; 5] = ["limit", "value", "from", "setting", "used"];

/// Carries out a command about limits.
pub(super) async fn run(desk: &Desk, command: LimitCommand) -> Result<(), Trouble> {
    let (gate, actor) = (&desk.gate, &desk.actor);
    let view = match command {
        LimitCommand::Show { client } => limits::show(gate, &client).await?,
        LimitCommand::Set(flags) => {
            let client = flags.client.clone();
            limits::set(gate, actor, &client, named(flags)?).await?
        }
        LimitCommand::Clear(flags) => limits::clear(gate, actor, &flags.client.clone(), flags.into()).await?,
    };
    if desk.output.is_json() {
        desk.output.document(&view)
    } else {
        desk.output.list(&view.in_force, &COLUMNS)
    }
}

/// What is to be set; nothing is no command.
fn named(flags: LimitSet) -> Result<SetLimits, Trouble> {
    let new = SetLimits::from(flags);
    if new == SetLimits::default() {
        let fix =
            "say what it shall be held to, for example --tokens 100/min; see `gatepost limit set --help`";
        return Err(Trouble::usage("limit.nothing", "no limit to set", "no flag names one", fix));
    }
    Ok(new)
}

impl From<LimitSet> for SetLimits {
    fn from(flags: LimitSet) -> Self {
        let LimitSet { client: _, tokens, per_day, per_month, replay_window } = flags;
        Self { tokens, per_day, per_month, replay_window }
    }
}

impl From<LimitClear> for ClearLimits {
    fn from(flags: LimitClear) -> Self {
        let LimitClear { client: _, tokens, per_day, per_month, replay_window } = flags;
        Self { tokens, per_day, per_month, replay_window }
    }
}
