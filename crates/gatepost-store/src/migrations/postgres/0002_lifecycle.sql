-- When the last token of a key has expired, once it signs no more.
ALTER TABLE keys ADD COLUMN verifies_until BIGINT;

-- An owner has at most one next key and one that signs: of nodes that rotate at the same moment one wins.
CREATE UNIQUE INDEX "keys.published" ON keys (coalesce(api_id, '')) WHERE state = 'published';
CREATE UNIQUE INDEX "keys.signing" ON keys (coalesce(api_id, '')) WHERE state = 'signing';

CREATE TABLE client_keys (
    id        TEXT   COLLATE "C" NOT NULL CONSTRAINT "client_keys.id" PRIMARY KEY,
    client_id TEXT   COLLATE "C" NOT NULL REFERENCES clients (id) ON DELETE CASCADE,
    material  TEXT   NOT NULL,
    created   BIGINT NOT NULL
);
CREATE INDEX client_keys_by_client ON client_keys (client_id, created, id);

CREATE TABLE api_secrets (
    id      TEXT   COLLATE "C" NOT NULL CONSTRAINT "api_secrets.id" PRIMARY KEY,
    api_id  TEXT   COLLATE "C" NOT NULL REFERENCES apis (id) ON DELETE CASCADE,
    label   TEXT,
    pepper  TEXT   NOT NULL,
    tag     BYTEA  NOT NULL,
    created BIGINT NOT NULL,
    expires BIGINT,
    ended   BIGINT
);
CREATE INDEX api_secrets_by_api ON api_secrets (api_id, created, id);

CREATE TABLE routes (
    api_id TEXT COLLATE "C" NOT NULL REFERENCES apis (id) ON DELETE CASCADE,
    method TEXT COLLATE "C" NOT NULL,
    path   TEXT COLLATE "C" NOT NULL,
    scopes TEXT NOT NULL,
    CONSTRAINT "routes.path" PRIMARY KEY (api_id, method, path)
);

-- seq is that of the change. What is revoked may be deleted meanwhile, its tokens live on: nothing is referred to.
CREATE TABLE revocations (
    seq   BIGINT NOT NULL CONSTRAINT "revocations.seq" PRIMARY KEY,
    kind  TEXT   NOT NULL,
    id    TEXT   NOT NULL,
    apis  TEXT   NOT NULL,
    at    BIGINT NOT NULL,
    until BIGINT NOT NULL
);
CREATE INDEX revocations_by_end ON revocations (until);

-- jti is the SHA-256 of what the client chose: of one length whatever it was, and free of what a text can't hold.
CREATE TABLE assertions (
    client_id TEXT   COLLATE "C" NOT NULL,
    jti       BYTEA  NOT NULL,
    until     BIGINT NOT NULL,
    CONSTRAINT "assertions.jti" PRIMARY KEY (client_id, jti)
);
CREATE INDEX assertions_by_end ON assertions (until);

-- hour counts from the epoch.
CREATE TABLE usage (
    client_id TEXT   COLLATE "C" NOT NULL REFERENCES clients (id) ON DELETE CASCADE,
    hour      BIGINT NOT NULL,
    issued    BIGINT NOT NULL,
    refused   BIGINT NOT NULL,
    CONSTRAINT "usage.hour" PRIMARY KEY (client_id, hour)
);
CREATE INDEX usage_by_hour ON usage (hour, client_id);

CREATE TABLE secret_usage (
    secret_id TEXT   COLLATE "C" NOT NULL CONSTRAINT "secret_usage.secret_id" PRIMARY KEY
        REFERENCES secrets (id) ON DELETE CASCADE,
    last_at   BIGINT NOT NULL,
    address   TEXT,
    count     BIGINT NOT NULL
);
