PRAGMA user_version = 5;

-- What a client is held to by itself, as JSON; a client without a row is held to nothing of its own.
CREATE TABLE client_limits (
    client_id TEXT NOT NULL PRIMARY KEY REFERENCES clients (id) ON DELETE CASCADE,
    limits    TEXT NOT NULL
) STRICT, WITHOUT ROWID;
