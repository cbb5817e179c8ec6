-- In seconds; 0 is never, NULL is as the settings say.
ALTER TABLE apis ADD COLUMN rotate_every BIGINT;

CREATE TABLE api_secret_usage (
    secret_id TEXT   COLLATE "C" NOT NULL CONSTRAINT "api_secret_usage.secret_id" PRIMARY KEY
        REFERENCES api_secrets (id) ON DELETE CASCADE,
    last_at   BIGINT NOT NULL,
    address   TEXT,
    count     BIGINT NOT NULL
);
