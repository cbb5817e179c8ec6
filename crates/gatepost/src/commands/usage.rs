//! This file is where the commands about usage are carried out.

use gatepost_operations::usage;

use super::desk::Desk;
use crate::args::UsageCommand;
use crate::ending::Trouble;

const BY_HOUR: [&str; 3] = ["hour", "issued", "refused"];
const BY_CLIENT: [&str; 3] = ["client_id", "issued", "refused"];

/// What the bars show.
const MEASURE: &str = "issued";

/// Carries out a command about usage.
pub(super) async fn run(desk: &Desk, command: UsageCommand) -> Result<(), Trouble> {
    match command {
        UsageCommand::Show { client, hours } => {
            let hours = usage::show(&desk.gate, &client, hours).await?;
            if let Some(notice) = hours.iter().rev().find_map(|hour| hour.notice.as_deref()) {
                desk.output.note(&format!("This client hoards tokens: {notice}."));
            }
            desk.output.chart(&hours, &BY_HOUR, MEASURE)
        }
        UsageCommand::Top { hours, limit } => {
            let most = usize::try_from(limit).unwrap_or(usize::MAX);
            desk.output.chart(&usage::top(&desk.gate, hours, most).await?, &BY_CLIENT, MEASURE)
        }
    }
}
