//! This file is where values become rows: a table with a header on a terminal, plain aligned rows elsewhere.

use comfy_table::{ContentArrangement, Table, presets};
use serde_json::Value;

use super::escaping::printable;

/// The members of one thing, a line each.
pub(super) fn details(view: &Value) -> String {
    let Value::Object(members) = view else {
        return format!("{}\n", cell(view));
    };
    let width = members.keys().map(String::len).max().unwrap_or(0);
    let line = |(name, value): (&String, &Value)| format!("{name:width$}  {}\n", cell(value));
    members.iter().map(line).collect()
}

/// The column that bars stand in.
pub(super) const BAR: &str = "share";

/// How wide the longest bar is.
const WIDEST: u64 = 24;

/// Adds to each row a bar for the size of its member `measure`; the largest fills the column.
pub(super) fn add_bars(rows: &mut [Value], measure: &str) {
    let size = |row: &Value| row.get(measure).and_then(Value::as_u64).unwrap_or(0);
    let largest = rows.iter().map(size).max().unwrap_or(0).max(1);
    for row in rows {
        let size = size(row);
        // Something is never shown as nothing.
        let width = size.saturating_mul(WIDEST).checked_div(largest).unwrap_or(0).max(u64::from(size > 0));
        if let Value::Object(members) = row {
            let bar = "█".repeat(usize::try_from(width).unwrap_or(0));
            members.insert(BAR.to_owned(), Value::String(bar));
        }
    }
}

/// These members of each row.
pub(super) fn rows(rows: &[Value], columns: &[&str], terminal: bool) -> String {
    let cells =
        |row: &Value| columns.iter().map(|name| cell(row.get(name).unwrap_or(&Value::Null))).collect();
    let cells: Vec<Vec<String>> = rows.iter().map(cells).collect();
    if cells.is_empty() {
        return String::new();
    }
    if terminal { with_header(columns, cells) } else { aligned(&cells) }
}

fn with_header(columns: &[&str], cells: Vec<Vec<String>>) -> String {
    let mut table = Table::new();
    // Ids are for copying: a terminal that is too narrow wraps the line, never a cell.
    table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Disabled);
    table.set_header(columns.iter().map(|name| name.to_uppercase()));
    for row in cells {
        table.add_row(row);
    }
    format!("{table}\n")
}

fn aligned(cells: &[Vec<String>]) -> String {
    let columns = cells.iter().map(Vec::len).max().unwrap_or(0);
    let width =
        |column: usize| cells.iter().filter_map(|row| row.get(column)).map(|text| text.chars().count()).max();
    let widths: Vec<usize> = (0..columns).map(|column| width(column).unwrap_or(0)).collect();

    let line = |row: &Vec<String>| {
        let padded: Vec<String> =
            row.iter().zip(&widths).map(|(text, width)| format!("{text:width$}")).collect();
        format!("{}\n", padded.join("  ").trim_end())
    };
    cells.iter().map(line).collect()
}

/// A value as people read it.
fn cell(value: &Value) -> String {
    match value {
        Value::Null => "-".to_owned(),
        Value::Bool(true) => "yes".to_owned(),
        Value::Bool(false) => "no".to_owned(),
        Value::Number(number) => number.to_string(),
        Value::String(text) if text.is_empty() => "-".to_owned(),
        Value::String(text) => printable(text),
        Value::Array(parts) if parts.is_empty() => "-".to_owned(),
        Value::Array(parts) => parts.iter().map(named).collect::<Vec<_>>().join(" "),
        Value::Object(members) => {
            let pairs = members.iter().map(|(name, value)| format!("{name}={}", cell(value)));
            pairs.collect::<Vec<_>>().join(" ")
        }
    }
}

/// A part of a list: its name, where it has one.
fn named(part: &Value) -> String {
    cell(part.get("name").unwrap_or(part))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn details_are_a_line_for_each_member() {
        let view = json!({"slug": "acme", "apis": ["a", "b"], "scopes": [{"name": "x", "description": "y"}], "label": null});

        assert_eq!(details(&view), "slug    acme\napis    a b\nscopes  x\nlabel   -\n");
    }

    #[test]
    fn rows_without_a_terminal_are_aligned_and_bare() {
        let list = [json!({"a": "long one", "b": true, "c": 1}), json!({"a": "ü", "b": false})];

        assert_eq!(rows(&list, &["a", "b", "c"], false), "long one  yes  1\nü         no   -\n");
        assert_eq!(rows(&[], &["a"], false), "");
    }

    #[test]
    fn bars_show_the_share_of_the_largest_and_never_hide_something() {
        let mut list = [json!({"n": 1000}), json!({"n": 500}), json!({"n": 1}), json!({"n": 0})];
        add_bars(&mut list, "n");
        let widths = list.map(|row| row[BAR].as_str().unwrap().chars().count());
        assert_eq!(widths, [24, 12, 1, 0]);

        let mut nothing = [json!({"n": 0})];
        add_bars(&mut nothing, "n");
        assert_eq!(nothing[0][BAR], "");
    }

    #[test]
    fn a_table_on_a_terminal_has_a_header() {
        let id = "35e492d8-ec71-4769-bf72-61fbe11087de";
        let text = rows(&[json!({"slug": "acme", "id": id})], &["slug", "id"], true);
        let lines: Vec<_> = text.lines().collect();
        assert!(lines[0].contains("SLUG") && lines[0].contains("ID"), "{text}");
        assert!(lines[1].contains("acme") && lines[1].contains(id), "an id is never broken: {text}");
    }
}
