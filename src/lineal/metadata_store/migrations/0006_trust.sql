-- Bytes that somebody decided to trust although loading them can run code and no run of this store made them: who, when, under which
-- name. Rows are only ever added; they stay when the version goes.
CREATE TABLE trust (
    id INTEGER PRIMARY KEY,
    digest TEXT NOT NULL,
    version TEXT NOT NULL,
    person TEXT NOT NULL,
    given INTEGER NOT NULL
);
CREATE INDEX trust_by_digest ON trust (digest);
