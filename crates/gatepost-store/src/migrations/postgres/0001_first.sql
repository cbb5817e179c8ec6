-- Instants are microseconds since the epoch (UTC), ids of our own are UUIDs of 36 characters, lists are JSON.
-- Texts sort by their bytes ("C"), so that lists have the same order on every engine.
-- Constraints are named table.column: refusals are read from these names.

CREATE TABLE partners (
    id      TEXT   COLLATE "C" NOT NULL CONSTRAINT "partners.id" PRIMARY KEY,
    slug    TEXT   COLLATE "C" NOT NULL CONSTRAINT "partners.slug" UNIQUE,
    name    TEXT   NOT NULL,
    status  TEXT   NOT NULL,
    created BIGINT NOT NULL,
    version BIGINT NOT NULL
);

CREATE TABLE apis (
    id        TEXT   COLLATE "C" NOT NULL CONSTRAINT "apis.id" PRIMARY KEY,
    name      TEXT   COLLATE "C" NOT NULL CONSTRAINT "apis.name" UNIQUE,
    audience  TEXT   COLLATE "C" NOT NULL CONSTRAINT "apis.audience" UNIQUE,
    profile   TEXT   NOT NULL,
    algorithm TEXT   NOT NULL,
    created   BIGINT NOT NULL,
    version   BIGINT NOT NULL
);

CREATE TABLE scopes (
    api_id      TEXT COLLATE "C" NOT NULL REFERENCES apis (id) ON DELETE CASCADE,
    name        TEXT COLLATE "C" NOT NULL,
    description TEXT NOT NULL,
    CONSTRAINT "scopes.name" PRIMARY KEY (api_id, name)
);

CREATE TABLE clients (
    id              TEXT    COLLATE "C" NOT NULL CONSTRAINT "clients.id" PRIMARY KEY,
    partner_id      TEXT    COLLATE "C" NOT NULL REFERENCES partners (id),
    user_id         TEXT    NOT NULL,
    name            TEXT    NOT NULL,
    is_test         BOOLEAN NOT NULL,
    scopes          TEXT    NOT NULL,
    default_scopes  TEXT,
    ungranted_scope TEXT    NOT NULL,
    lifetime        BIGINT  NOT NULL,
    allow           TEXT    NOT NULL,
    auth_method     TEXT,
    grant_types     TEXT    NOT NULL,
    status          TEXT    NOT NULL,
    expires         BIGINT,
    created         BIGINT  NOT NULL,
    version         BIGINT  NOT NULL
);
CREATE INDEX clients_by_partner ON clients (partner_id, created, id);
CREATE INDEX clients_by_age ON clients (created, id);

-- The API at position 0 is the client's default.
CREATE TABLE client_apis (
    client_id TEXT   COLLATE "C" NOT NULL REFERENCES clients (id) ON DELETE CASCADE,
    position  BIGINT NOT NULL,
    api_id    TEXT   COLLATE "C" NOT NULL REFERENCES apis (id),
    CONSTRAINT "client_apis.api_id" PRIMARY KEY (client_id, api_id)
);
CREATE INDEX client_apis_by_api ON client_apis (api_id);

CREATE TABLE secrets (
    id        TEXT   COLLATE "C" NOT NULL CONSTRAINT "secrets.id" PRIMARY KEY,
    client_id TEXT   COLLATE "C" NOT NULL REFERENCES clients (id) ON DELETE CASCADE,
    label     TEXT,
    pepper    TEXT   NOT NULL,
    tag       BYTEA  NOT NULL,
    created   BIGINT NOT NULL,
    expires   BIGINT,
    ended     BIGINT
);
CREATE INDEX secrets_by_client ON secrets (client_id, created, id);

-- A key without an API is a service key.
CREATE TABLE keys (
    kid        TEXT   COLLATE "C" NOT NULL CONSTRAINT "keys.kid" PRIMARY KEY,
    api_id     TEXT   COLLATE "C" REFERENCES apis (id) ON DELETE CASCADE,
    algorithm  TEXT   NOT NULL,
    state      TEXT   NOT NULL,
    public     TEXT   NOT NULL,
    wrapping   TEXT   NOT NULL,
    sealed     BYTEA  NOT NULL,
    created    BIGINT NOT NULL,
    signs_from BIGINT NOT NULL
);
CREATE INDEX keys_by_api ON keys (api_id);

-- adopted is the sequence number of the change that took the pepper into use.
CREATE TABLE master_keys (
    pepper  TEXT   COLLATE "C" NOT NULL CONSTRAINT "master_keys.pepper" PRIMARY KEY,
    tag     BYTEA  NOT NULL,
    adopted BIGINT NOT NULL
);

-- Texts are kept byte for byte as they were hashed.
CREATE TABLE audit (
    seq      BIGINT NOT NULL CONSTRAINT "audit.seq" PRIMARY KEY,
    at       BIGINT NOT NULL,
    actor    TEXT   NOT NULL,
    action   TEXT   NOT NULL,
    noun     TEXT   NOT NULL,
    id       TEXT   NOT NULL,
    details  TEXT   NOT NULL,
    previous BYTEA  NOT NULL,
    hash     BYTEA  NOT NULL
);
