PRAGMA user_version = 6;

-- Whose a single token was: what a client gives back is bounded. Of older rows it is not known, and they expire soon.
ALTER TABLE revocations ADD COLUMN client_id TEXT;
