PRAGMA user_version = 3;

-- In seconds; 0 is never, NULL is as the settings say.
ALTER TABLE apis ADD COLUMN rotate_every INTEGER;

CREATE TABLE api_secret_usage (
    secret_id TEXT    NOT NULL PRIMARY KEY REFERENCES api_secrets (id) ON DELETE CASCADE,
    last_at   INTEGER NOT NULL,
    address   TEXT,
    count     INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
