//! This file is where scanners get the rule by which they find leaked secrets.

use serde::Serialize;

use crate::args::PatternFormat;
use crate::ending::Trouble;
use crate::output::Output;

/// Prefix, forty random digits, six of the checksum. `secret lint` tells a whole one from an invented one.
const REGEX: &str = r"\bgp_(?:live|test|api)_[0-9A-Za-z]{46}\b";

const GITLEAKS: &str = r#"[[rules]]
id = "gatepost-secret"
description = "Gatepost secret of a client or an API"
regex = '''\b(gp_(?:live|test|api)_[0-9A-Za-z]{46})\b'''
secretGroup = 1
keywords = ["gp_live_", "gp_test_", "gp_api_"]
"#;

const TRUFFLEHOG: &str = r"detectors:
  - name: GatepostSecret
    keywords:
      - gp_live_
      - gp_test_
      - gp_api_
    regex:
      secret: '\b(gp_(?:live|test|api)_[0-9A-Za-z]{46})\b'
";

#[derive(Serialize)]
struct Rule {
    format: &'static str,
    rule: String,
}

/// Prints the rule.
pub(super) fn run(format: PatternFormat, output: Output) -> Result<(), Trouble> {
    let (format, rule) = match format {
        PatternFormat::Regex => ("regex", REGEX),
        PatternFormat::Gitleaks => ("gitleaks", GITLEAKS),
        PatternFormat::Trufflehog => ("trufflehog", TRUFFLEHOG),
    };
    if output.is_json() {
        return output.document(&Rule { format, rule: rule.to_owned() });
    }
    output.text(&format!("{}\n", rule.trim_end()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_rule_holds_the_same_expression() {
        let inner = REGEX.trim_start_matches(r"\b").trim_end_matches(r"\b");
        assert!(GITLEAKS.contains(inner) && TRUFFLEHOG.contains(inner));
    }
}
