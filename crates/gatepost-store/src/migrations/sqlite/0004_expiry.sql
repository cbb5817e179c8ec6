PRAGMA user_version = 4;

-- From when on a secret is accepted; at once when NULL.
ALTER TABLE secrets ADD COLUMN not_before INTEGER;
ALTER TABLE api_secrets ADD COLUMN not_before INTEGER;

-- From when on a partner's clients get no more tokens.
ALTER TABLE partners ADD COLUMN expires INTEGER;

-- What is to expire is looked for each second.
CREATE INDEX clients_by_expiry ON clients (expires) WHERE status = 'active';
CREATE INDEX partners_by_expiry ON partners (expires) WHERE status = 'active';
