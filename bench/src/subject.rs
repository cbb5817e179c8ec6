//! This file is where the measured kinds of signature are listed, each with the API that issues them.

use clap::ValueEnum;
use serde::Serialize;

/// A kind of signature whose tokens are measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Subject {
    /// The passport profile as it is shipped.
    #[value(name = "rs256-4096")]
    #[serde(rename = "rs256-4096")]
    Rsa4096,
    /// RS256 with the shorter key that most peers use.
    #[value(name = "rs256-2048")]
    #[serde(rename = "rs256-2048")]
    Rsa2048,
    /// ECDSA on P-256.
    Es256,
    /// Ed25519.
    Eddsa,
}

impl Subject {
    /// The name on the command line, in the report and of the API.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Rsa4096 => "rs256-4096",
            Self::Rsa2048 => "rs256-2048",
            Self::Es256 => "es256",
            Self::Eddsa => "eddsa",
        }
    }

    /// What `gatepost api create` is told beside the name and the audience.
    pub(crate) fn api_options(self) -> &'static [&'static str] {
        match self {
            Self::Rsa4096 => &["--profile", "passport"],
            Self::Rsa2048 => &["--profile", "rfc9068", "--alg", "RS256"],
            Self::Es256 => &["--profile", "rfc9068", "--alg", "ES256"],
            Self::Eddsa => &["--profile", "rfc9068", "--alg", "EdDSA"],
        }
    }

    /// Settings under which the API's key is made.
    pub(crate) fn api_settings(self) -> &'static [(&'static str, &'static str)] {
        match self {
            Self::Rsa2048 => &[("GATEPOST_KEYS__RSA_BITS", "2048")],
            Self::Rsa4096 | Self::Es256 | Self::Eddsa => &[],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_is_what_the_command_line_takes() {
        for subject in Subject::value_variants() {
            assert_eq!(Subject::from_str(subject.name(), false).as_ref(), Ok(subject));
        }
    }
}
