-- Instants are microseconds since the epoch (UTC), ids of our own are UUIDs of 36 characters, lists are JSON.
-- 1195463749 spells GATE: it tells our files from other programs' SQLite files.
PRAGMA application_id = 1195463749;
PRAGMA user_version = 1;

CREATE TABLE partners (
    id      TEXT    NOT NULL PRIMARY KEY,
    slug    TEXT    NOT NULL UNIQUE,
    name    TEXT    NOT NULL,
    status  TEXT    NOT NULL,
    created INTEGER NOT NULL,
    version INTEGER NOT NULL
) STRICT;

CREATE TABLE apis (
    id        TEXT    NOT NULL PRIMARY KEY,
    name      TEXT    NOT NULL UNIQUE,
    audience  TEXT    NOT NULL UNIQUE,
    profile   TEXT    NOT NULL,
    algorithm TEXT    NOT NULL,
    created   INTEGER NOT NULL,
    version   INTEGER NOT NULL
) STRICT;

CREATE TABLE scopes (
    api_id      TEXT NOT NULL REFERENCES apis (id) ON DELETE CASCADE,
    name        TEXT NOT NULL,
    description TEXT NOT NULL,
    PRIMARY KEY (api_id, name)
) STRICT;

CREATE TABLE clients (
    id              TEXT    NOT NULL PRIMARY KEY,
    partner_id      TEXT    NOT NULL REFERENCES partners (id),
    user_id         TEXT    NOT NULL,
    name            TEXT    NOT NULL,
    is_test         INTEGER NOT NULL,
    scopes          TEXT    NOT NULL,
    default_scopes  TEXT,
    ungranted_scope TEXT    NOT NULL,
    lifetime        INTEGER NOT NULL,
    allow           TEXT    NOT NULL,
    auth_method     TEXT,
    grant_types     TEXT    NOT NULL,
    status          TEXT    NOT NULL,
    expires         INTEGER,
    created         INTEGER NOT NULL,
    version         INTEGER NOT NULL
) STRICT;
CREATE INDEX clients_by_partner ON clients (partner_id, created, id);
CREATE INDEX clients_by_age ON clients (created, id);

-- The API at position 0 is the client's default.
CREATE TABLE client_apis (
    client_id TEXT    NOT NULL REFERENCES clients (id) ON DELETE CASCADE,
    position  INTEGER NOT NULL,
    api_id    TEXT    NOT NULL REFERENCES apis (id),
    PRIMARY KEY (client_id, api_id)
) STRICT;
CREATE INDEX client_apis_by_api ON client_apis (api_id);

CREATE TABLE secrets (
    id        TEXT    NOT NULL PRIMARY KEY,
    client_id TEXT    NOT NULL REFERENCES clients (id) ON DELETE CASCADE,
    label     TEXT,
    pepper    TEXT    NOT NULL,
    tag       BLOB    NOT NULL,
    created   INTEGER NOT NULL,
    expires   INTEGER,
    ended     INTEGER
) STRICT;
CREATE INDEX secrets_by_client ON secrets (client_id, created, id);

-- A key without an API is a service key.
CREATE TABLE keys (
    kid        TEXT    NOT NULL PRIMARY KEY,
    api_id     TEXT    REFERENCES apis (id) ON DELETE CASCADE,
    algorithm  TEXT    NOT NULL,
    state      TEXT    NOT NULL,
    public     TEXT    NOT NULL,
    wrapping   TEXT    NOT NULL,
    sealed     BLOB    NOT NULL,
    created    INTEGER NOT NULL,
    signs_from INTEGER NOT NULL
) STRICT;
CREATE INDEX keys_by_api ON keys (api_id);

-- adopted is the sequence number of the change that took the pepper into use.
CREATE TABLE master_keys (
    pepper  TEXT    NOT NULL PRIMARY KEY,
    tag     BLOB    NOT NULL,
    adopted INTEGER NOT NULL
) STRICT;

-- Texts are kept byte for byte as they were hashed.
CREATE TABLE audit (
    seq      INTEGER NOT NULL PRIMARY KEY,
    at       INTEGER NOT NULL,
    actor    TEXT    NOT NULL,
    action   TEXT    NOT NULL,
    noun     TEXT    NOT NULL,
    id       TEXT    NOT NULL,
    details  TEXT    NOT NULL,
    previous BLOB    NOT NULL,
    hash     BLOB    NOT NULL
) STRICT;
