//! This file is where RS256 differs from PS256: the padding (RFC 7518 section 3.3).

use aws_lc_rs::signature::{RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_SHA256, RsaEncoding, RsaParameters};

/// How a signature is padded.
pub(super) const PADDING: &dyn RsaEncoding = &RSA_PKCS1_SHA256;
/// How a signature is checked.
pub(super) const PARAMETERS: &RsaParameters = &RSA_PKCS1_2048_8192_SHA256;
