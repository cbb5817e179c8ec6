-- What a client is held to by itself, as JSON; a client without a row is held to nothing of its own.
CREATE TABLE client_limits (
    client_id text NOT NULL PRIMARY KEY REFERENCES clients (id) ON DELETE CASCADE,
    limits    text NOT NULL
);
