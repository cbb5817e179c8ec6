//! This file is where everything that an operator or the server may change is listed: the store applies these and nothing else.

mod told;

use gatepost_jose::KeyId;

use crate::actor::Actor;
use crate::apis::routes::Route;
use crate::apis::{Api, ApiScope};
use crate::clients::Client;
use crate::clients::public_key::{ClientKey, ClientKeyId};
use crate::ids::{ApiId, ClientId, PartnerId};
use crate::keys::{KeyOwner, KeyState, Sealed, StoredKey};
use crate::limits::ClientLimits;
use crate::partners::Partner;
use crate::scope::Scope;
use crate::secret::SecretTag;
use crate::secret::stored::{SecretId, StoredSecret};
use crate::time::Timestamp;
use crate::tokens::revoke::Revocation;

pub use told::Subject;

/// One change of audited state. Updates carry the version they were decided on; the store refuses them if it has moved on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// A partner was registered.
    PartnerCreated(Partner),
    /// A partner was renamed, suspended or resumed, or given another expiry.
    PartnerUpdated(Partner),
    /// A partner's time was over.
    PartnerExpired(Partner),
    /// A partner without clients was deleted.
    PartnerDeleted(PartnerId),
    /// An API was registered.
    ApiCreated(Api),
    /// An API was changed.
    ApiUpdated(Api),
    /// An API without clients was deleted, with its scopes and keys.
    ApiDeleted(ApiId),
    /// A scope was added to an API.
    ScopeCreated(ApiId, ApiScope),
    /// A scope was taken from an API; clients that have it keep the word without effect.
    ScopeDeleted(ApiId, Scope),
    /// A client was registered, with its first secret if it has one.
    ClientCreated {
        /// The client.
        client: Client,
        /// Its first secret.
        secret: Option<StoredSecret>,
    },
    /// A client was changed, suspended or resumed.
    ClientUpdated(Client),
    /// A client's time was over.
    ClientExpired(Client),
    /// A client was deleted, with its secrets.
    ClientDeleted(ClientId),
    /// A client was given limits of its own, in place of those it had; none when empty.
    ClientLimited {
        /// The client.
        client: ClientId,
        /// What it is held to from now on.
        limits: ClientLimits,
    },
    /// A client got one more secret.
    SecretAdded {
        /// The client.
        client: ClientId,
        /// The secret.
        secret: StoredSecret,
    },
    /// A secret was ended before its time.
    SecretEnded {
        /// The client.
        client: ClientId,
        /// The secret.
        secret: SecretId,
        /// From when on it is refused.
        at: Timestamp,
    },
    /// A secret was given an end.
    SecretLimited {
        /// The client.
        client: ClientId,
        /// The secret.
        secret: SecretId,
        /// From when on it is no longer accepted.
        expires: Timestamp,
    },
    /// A secret was tagged anew, under a newer pepper.
    SecretRetagged {
        /// The client.
        client: ClientId,
        /// The secret.
        secret: SecretId,
        /// Its new one-way form.
        tag: SecretTag,
    },
    /// A client got a public key.
    ClientKeyAdded {
        /// The client.
        client: ClientId,
        /// The key.
        key: ClientKey,
    },
    /// A client's public key was taken away.
    ClientKeyRemoved {
        /// The client.
        client: ClientId,
        /// The key.
        key: ClientKeyId,
    },
    /// An API got one more secret.
    ApiSecretAdded {
        /// The API.
        api: ApiId,
        /// The secret.
        secret: StoredSecret,
    },
    /// A secret of an API was ended before its time.
    ApiSecretEnded {
        /// The API.
        api: ApiId,
        /// The secret.
        secret: SecretId,
        /// From when on it is refused.
        at: Timestamp,
    },
    /// A line was added to an API's route table, in place of one for the same method and path.
    RouteAdded(ApiId, Route),
    /// A line was taken from an API's route table.
    RouteRemoved {
        /// The API.
        api: ApiId,
        /// The line's method.
        method: String,
        /// The line's path.
        path: String,
    },
    /// A key was made or imported.
    KeyAdded(StoredKey),
    /// A key went on in its life.
    KeyMoved {
        /// Which.
        kid: KeyId,
        /// Whose it is.
        owner: KeyOwner,
        /// Where it was; if it is no longer there, someone else was faster.
        from: KeyState,
        /// Where it is now.
        to: KeyState,
        /// When its last token has expired, once it signs no more.
        verifies_until: Option<Timestamp>,
    },
    /// A key was sealed anew, under another wrapping key.
    KeyRewrapped {
        /// Which.
        kid: KeyId,
        /// Whose it is.
        owner: KeyOwner,
        /// Its private half as it is sealed now.
        sealed: Sealed,
    },
    /// Tokens were revoked.
    Revoked(Revocation),
    /// The master key file that this state belongs to was taken into use.
    MasterKeyAdopted {
        /// The pepper that new secrets are tagged with.
        pepper: String,
        /// The tag of a known text under it: shows a wrong file before a secret is refused.
        check: Vec<u8>,
    },
}

/// A change with who made it and when: the only thing that the store applies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditedChange {
    /// What changes.
    pub change: Change,
    /// Who changes it.
    pub actor: Actor,
    /// When.
    pub at: Timestamp,
}

/// The row that a bound or a last-one rule was decided on: it must still be at that version, and moves on with the changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Basis {
    /// A client with its secrets and keys.
    Client(ClientId, i64),
    /// An API with its secrets.
    Api(ApiId, i64),
}

impl Change {
    /// The change with its actor and time.
    pub fn by(self, actor: Actor, at: Timestamp) -> AuditedChange {
        AuditedChange { change: self, actor, at }
    }
}
