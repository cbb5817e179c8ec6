//! This file is where credentials from a body are taken as they are.

use super::{Credentials, Method, Presented};
use crate::secret::Secret;

/// The one reading of an id and a secret that came in the body.
pub fn candidates(client_id: &str, secret: &str) -> Presented {
    let credentials = Credentials { client_id: client_id.to_owned(), secret: Secret::new(secret.to_owned()) };
    Presented::Secret { method: Method::SecretPost, candidates: vec![credentials] }
}
