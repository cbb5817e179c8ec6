//! This file is where PS256 differs from RS256: the padding, with a salt as long as the hash (RFC 7518 section 3.5).

use aws_lc_rs::signature::{RSA_PSS_2048_8192_SHA256, RSA_PSS_SHA256, RsaEncoding, RsaParameters};

/// How a signature is padded.
pub(super) const PADDING: &dyn RsaEncoding = &RSA_PSS_SHA256;
/// How a signature is checked.
pub(super) const PARAMETERS: &RsaParameters = &RSA_PSS_2048_8192_SHA256;
