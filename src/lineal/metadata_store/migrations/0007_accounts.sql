-- Who may ask a server for what. Of passwords there is an argon2id hash, of tokens, sessions and codes a SHA-256: whoever reads this file
-- can sign in nowhere. Empty where nobody runs a server for a team.
CREATE TABLE users (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL UNIQUE,
    kind TEXT NOT NULL CHECK (kind IN ('person', 'service')),
    role INTEGER NOT NULL CHECK (role BETWEEN 1 AND 3),
    active INTEGER NOT NULL DEFAULT 1,
    created INTEGER NOT NULL,
    password TEXT
);

CREATE TABLE tokens (
    id TEXT PRIMARY KEY,
    user_id INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    role INTEGER NOT NULL CHECK (role BETWEEN 1 AND 3),
    digest TEXT NOT NULL,
    created INTEGER NOT NULL,
    expires INTEGER,
    used INTEGER,
    revoked INTEGER
) WITHOUT ROWID;
CREATE INDEX tokens_by_user ON tokens (user_id);

CREATE TABLE sessions (
    digest TEXT PRIMARY KEY,
    user_id INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    begun INTEGER NOT NULL,
    confirmed INTEGER NOT NULL,
    until INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX sessions_by_user ON sessions (user_id);

-- Machines without a browser that wait for somebody to approve them in one.
CREATE TABLE devices (
    digest TEXT PRIMARY KEY,
    code TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    begun INTEGER NOT NULL,
    until INTEGER NOT NULL,
    user_id INTEGER REFERENCES users (id) ON DELETE CASCADE
) WITHOUT ROWID;

-- What was done by whom. Each row's digest covers the one before; rows are only ever added.
CREATE TABLE audit (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    at INTEGER NOT NULL,
    who TEXT NOT NULL,
    what TEXT NOT NULL,
    object TEXT NOT NULL,
    details TEXT NOT NULL,
    peer TEXT NOT NULL,
    request TEXT NOT NULL,
    digest TEXT NOT NULL
);
CREATE INDEX audit_by_who ON audit (who, id);
CREATE INDEX audit_by_what ON audit (what, id);

CREATE TRIGGER audit_is_not_changed BEFORE UPDATE ON audit BEGIN
    SELECT RAISE(ABORT, 'the audit is only added to');
END;
CREATE TRIGGER audit_is_not_deleted BEFORE DELETE ON audit BEGIN
    SELECT RAISE(ABORT, 'the audit is only added to');
END;
