PRAGMA user_version = 2;

-- When the last token of a key has expired, once it signs no more.
ALTER TABLE keys ADD COLUMN verifies_until INTEGER;

-- An owner has at most one next key and one that signs: of nodes that rotate at the same moment one wins.
CREATE UNIQUE INDEX "keys.published" ON keys (coalesce(api_id, '')) WHERE state = 'published';
CREATE UNIQUE INDEX "keys.signing" ON keys (coalesce(api_id, '')) WHERE state = 'signing';

CREATE TABLE client_keys (
    id        TEXT    NOT NULL PRIMARY KEY,
    client_id TEXT    NOT NULL REFERENCES clients (id) ON DELETE CASCADE,
    material  TEXT    NOT NULL,
    created   INTEGER NOT NULL
) STRICT;
CREATE INDEX client_keys_by_client ON client_keys (client_id, created, id);

CREATE TABLE api_secrets (
    id      TEXT    NOT NULL PRIMARY KEY,
    api_id  TEXT    NOT NULL REFERENCES apis (id) ON DELETE CASCADE,
    label   TEXT,
    pepper  TEXT    NOT NULL,
    tag     BLOB    NOT NULL,
    created INTEGER NOT NULL,
    expires INTEGER,
    ended   INTEGER
) STRICT;
CREATE INDEX api_secrets_by_api ON api_secrets (api_id, created, id);

CREATE TABLE routes (
    api_id TEXT NOT NULL REFERENCES apis (id) ON DELETE CASCADE,
    method TEXT NOT NULL,
    path   TEXT NOT NULL,
    scopes TEXT NOT NULL,
    PRIMARY KEY (api_id, method, path)
) STRICT;

-- seq is that of the change. What is revoked may be deleted meanwhile, its tokens live on: nothing is referred to.
CREATE TABLE revocations (
    seq   INTEGER NOT NULL PRIMARY KEY,
    kind  TEXT    NOT NULL,
    id    TEXT    NOT NULL,
    apis  TEXT    NOT NULL,
    at    INTEGER NOT NULL,
    until INTEGER NOT NULL
) STRICT;
CREATE INDEX revocations_by_end ON revocations (until);

-- jti is the SHA-256 of what the client chose: of one length whatever it was.
CREATE TABLE assertions (
    client_id TEXT    NOT NULL,
    jti       BLOB    NOT NULL,
    until     INTEGER NOT NULL,
    PRIMARY KEY (client_id, jti)
) STRICT, WITHOUT ROWID;
CREATE INDEX assertions_by_end ON assertions (until);

-- hour counts from the epoch.
CREATE TABLE usage (
    client_id TEXT    NOT NULL REFERENCES clients (id) ON DELETE CASCADE,
    hour      INTEGER NOT NULL,
    issued    INTEGER NOT NULL,
    refused   INTEGER NOT NULL,
    PRIMARY KEY (client_id, hour)
) STRICT, WITHOUT ROWID;
CREATE INDEX usage_by_hour ON usage (hour, client_id);

CREATE TABLE secret_usage (
    secret_id TEXT    NOT NULL PRIMARY KEY REFERENCES secrets (id) ON DELETE CASCADE,
    last_at   INTEGER NOT NULL,
    address   TEXT,
    count     INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
