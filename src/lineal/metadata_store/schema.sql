-- What all migrations add up to, for reading; a test compares. What each table means is told in docs/data-model.md.
-- Large texts stand last in a row: SQLite then reads the small columns without following a row to its overflow pages.

CREATE TABLE meta (
    key TEXT PRIMARY KEY,
    value TEXT NOT NULL
);

CREATE TABLE migrations (
    version INTEGER PRIMARY KEY,
    name TEXT NOT NULL,
    applied INTEGER NOT NULL
);

CREATE TABLE runs (
    id INTEGER PRIMARY KEY,
    uid TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    pipeline TEXT NOT NULL,
    status TEXT NOT NULL,
    started INTEGER NOT NULL,
    ended INTEGER,
    duration INTEGER,
    orchestrator TEXT NOT NULL,
    durability TEXT NOT NULL,
    process TEXT,
    heartbeat INTEGER,
    tags TEXT NOT NULL,
    parameters TEXT NOT NULL,
    metadata TEXT NOT NULL,
    error TEXT,
    environment TEXT NOT NULL,
    plan TEXT
);
CREATE INDEX runs_by_name ON runs (name);
CREATE INDEX runs_by_pipeline ON runs (pipeline);
CREATE INDEX runs_by_status ON runs (status);
CREATE INDEX runs_by_duration ON runs (duration);
CREATE INDEX runs_by_pipeline_and_status ON runs (pipeline, status);
CREATE INDEX runs_with_metadata ON runs (id) WHERE length(metadata) > 2;

CREATE TABLE run_tags (
    tag TEXT NOT NULL,
    run_id INTEGER NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
    PRIMARY KEY (tag, run_id)
) WITHOUT ROWID;
CREATE INDEX run_tags_by_run ON run_tags (run_id);

CREATE TABLE step_runs (
    id INTEGER PRIMARY KEY,
    uid TEXT NOT NULL UNIQUE,
    run_id INTEGER NOT NULL REFERENCES runs (id),
    name TEXT NOT NULL,
    step TEXT NOT NULL,
    position INTEGER NOT NULL,
    status TEXT NOT NULL,
    started INTEGER,
    ended INTEGER,
    duration INTEGER,
    cache_key TEXT,
    cached_from TEXT,
    outputs INTEGER NOT NULL,
    expired INTEGER NOT NULL DEFAULT 0,
    parameters TEXT NOT NULL,
    metadata TEXT NOT NULL,
    error TEXT,
    ingredients TEXT NOT NULL
);
CREATE INDEX step_runs_by_run ON step_runs (run_id, name);
CREATE INDEX step_runs_by_key ON step_runs (cache_key) WHERE cache_key IS NOT NULL;

-- The code of steps, once per fingerprint however many step runs it has; the ingredients of a step run name the digest.
CREATE TABLE code (
    digest TEXT PRIMARY KEY,
    parts TEXT NOT NULL,
    source TEXT NOT NULL
);

-- A row stays when its last version is deleted: `next` is what keeps numbers from being given twice.
CREATE TABLE artifacts (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    next INTEGER NOT NULL,
    created INTEGER NOT NULL,
    tags TEXT NOT NULL DEFAULT '[]'
);

CREATE TABLE artifact_tags (
    tag TEXT NOT NULL,
    artifact_id INTEGER NOT NULL REFERENCES artifacts (id) ON DELETE CASCADE,
    PRIMARY KEY (tag, artifact_id)
) WITHOUT ROWID;
CREATE INDEX artifact_tags_by_artifact ON artifact_tags (artifact_id);

CREATE TABLE objects (
    id INTEGER PRIMARY KEY,
    digest TEXT NOT NULL UNIQUE,
    size INTEGER NOT NULL,
    boot TEXT,
    external TEXT,
    files BLOB NOT NULL,
    inline BLOB,
    removed INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX objects_kept ON objects (size) WHERE removed = 0 AND external IS NULL;

CREATE TABLE versions (
    id INTEGER PRIMARY KEY,
    uid TEXT NOT NULL UNIQUE,
    artifact_id INTEGER NOT NULL REFERENCES artifacts (id),
    version TEXT NOT NULL,
    number INTEGER,
    object_id INTEGER NOT NULL REFERENCES objects (id),
    output TEXT,
    materializer TEXT NOT NULL,
    type TEXT NOT NULL,
    data_type TEXT NOT NULL,
    save_type TEXT NOT NULL,
    created INTEGER NOT NULL,
    pinned INTEGER NOT NULL DEFAULT 0,
    state TEXT NOT NULL DEFAULT 'live',
    external TEXT,
    tags TEXT NOT NULL,
    metadata TEXT NOT NULL,
    pruned INTEGER,
    content TEXT,
    UNIQUE (artifact_id, version)
);
CREATE INDEX versions_by_artifact ON versions (artifact_id, state);
CREATE INDEX versions_by_object ON versions (object_id);

CREATE TABLE version_tags (
    tag TEXT NOT NULL,
    version_id INTEGER NOT NULL REFERENCES versions (id) ON DELETE CASCADE,
    PRIMARY KEY (tag, version_id)
) WITHOUT ROWID;
CREATE INDEX version_tags_by_version ON version_tags (version_id);

-- Numbers of deleted versions, so that an explicit version cannot bring one back. A trigger, so that no deletion can forget it.
CREATE TABLE retired (
    artifact_id INTEGER NOT NULL REFERENCES artifacts (id),
    number INTEGER NOT NULL,
    PRIMARY KEY (artifact_id, number)
) WITHOUT ROWID;
CREATE TRIGGER versions_retire AFTER DELETE ON versions WHEN old.number IS NOT NULL
BEGIN
    INSERT INTO retired (artifact_id, number) VALUES (old.artifact_id, old.number) ON CONFLICT DO NOTHING;
END;

-- role: 'made' (the step run produced the version), 'reused' (a cached step run gives it again), 'used' (it was an input).
CREATE TABLE edges (
    step_run_id INTEGER NOT NULL REFERENCES step_runs (id) ON DELETE CASCADE,
    role TEXT NOT NULL,
    position INTEGER NOT NULL,
    version_id INTEGER NOT NULL REFERENCES versions (id),
    name TEXT NOT NULL,
    kind TEXT NOT NULL,
    PRIMARY KEY (step_run_id, role, position)
) WITHOUT ROWID;
CREATE INDEX edges_by_version ON edges (version_id, role);

-- What shows a version, made when its value was saved: files of one object beside the version's own. An object is needed as long as a
-- version or a visualization refers to it.
CREATE TABLE visualizations (
    version_id INTEGER NOT NULL REFERENCES versions (id) ON DELETE CASCADE,
    position INTEGER NOT NULL,
    kind TEXT NOT NULL,
    title TEXT NOT NULL,
    object_id INTEGER NOT NULL REFERENCES objects (id),
    file TEXT NOT NULL,
    PRIMARY KEY (version_id, position)
) WITHOUT ROWID;
CREATE INDEX visualizations_by_object ON visualizations (object_id);

-- Versions that a run was given or loaded, until edges say what its steps used: as long as the run goes on, nothing prunes them.
CREATE TABLE holds (
    run_id INTEGER NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
    version_id INTEGER NOT NULL REFERENCES versions (id) ON DELETE CASCADE,
    PRIMARY KEY (run_id, version_id)
) WITHOUT ROWID;
CREATE INDEX holds_by_version ON holds (version_id);

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

-- One row: of the versions up to a row, how many are live, and the bytes that those mean that are ours. Who asks adds the versions after it;
-- it is moved on now and then, so a step that ends writes nothing here. Triggers see what changes before it.
CREATE TABLE tally (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    until INTEGER NOT NULL,
    versions INTEGER NOT NULL,
    bytes_meant INTEGER NOT NULL
);
-- The same by artifact and type: the live versions, those of them whose bytes are ours (`own`), and what these mean and keep.
CREATE TABLE tally_space (
    artifact_id INTEGER NOT NULL,
    type TEXT NOT NULL,
    live INTEGER NOT NULL,
    own INTEGER NOT NULL,
    bytes_meant INTEGER NOT NULL,
    bytes_kept INTEGER NOT NULL,
    PRIMARY KEY (artifact_id, type)
) WITHOUT ROWID;
-- Of each object the earliest live version whose bytes are ours: bytes that several versions share are kept for that one.
CREATE TABLE tally_firsts (
    object_id INTEGER PRIMARY KEY,
    version_id INTEGER NOT NULL
);
-- How many versions of an artifact have a tag, in whatever state they are.
CREATE TABLE tally_tags (
    tag TEXT NOT NULL,
    artifact_id INTEGER NOT NULL,
    versions INTEGER NOT NULL,
    PRIMARY KEY (tag, artifact_id)
) WITHOUT ROWID;

-- One counted version comes (sign 1) or goes (-1) as a live one. A view, because two triggers need the same statements.
CREATE VIEW tally_changes AS SELECT 0 AS sign, id, artifact_id, type, object_id, external FROM versions;
CREATE TRIGGER tally_changes_are_added_up INSTEAD OF INSERT ON tally_changes
BEGIN
    UPDATE tally SET versions = versions + new.sign, bytes_meant = bytes_meant + new.sign
        * CASE WHEN new.external IS NULL THEN (SELECT size FROM objects WHERE id = new.object_id) ELSE 0 END;
    INSERT INTO tally_space (artifact_id, type, live, own, bytes_meant, bytes_kept)
        SELECT new.artifact_id, new.type, new.sign, new.sign * (new.external IS NULL),
            CASE WHEN new.external IS NULL THEN new.sign * size ELSE 0 END, 0 FROM objects WHERE id = new.object_id
        ON CONFLICT (artifact_id, type) DO UPDATE
        SET live = live + excluded.live, own = own + excluded.own, bytes_meant = bytes_meant + excluded.bytes_meant;
    -- The bytes of the object are taken from the version that they were kept for, and given to the one that is the earliest now.
    UPDATE tally_space SET bytes_kept = bytes_kept - (SELECT size FROM objects WHERE id = new.object_id)
        WHERE new.external IS NULL AND (artifact_id, type) = (
            SELECT v.artifact_id, v.type FROM tally_firsts f JOIN versions v ON v.id = f.version_id WHERE f.object_id = new.object_id
        );
    INSERT OR REPLACE INTO tally_firsts (object_id, version_id)
        SELECT new.object_id, coalesce((
            SELECT v.id FROM versions v
            WHERE v.object_id = new.object_id AND v.id >= min(new.id, coalesce((SELECT version_id FROM tally_firsts WHERE object_id = new.object_id), new.id))
                AND v.id <= (SELECT until FROM tally) AND v.state = 'live' AND v.external IS NULL AND (new.sign = 1 OR v.id <> new.id)
            ORDER BY v.id LIMIT 1
        ), 0) WHERE new.external IS NULL;
    DELETE FROM tally_firsts WHERE object_id = new.object_id AND version_id = 0;
    UPDATE tally_space SET bytes_kept = bytes_kept + (SELECT size FROM objects WHERE id = new.object_id)
        WHERE new.external IS NULL AND (artifact_id, type) = (
            SELECT v.artifact_id, v.type FROM tally_firsts f JOIN versions v ON v.id = f.version_id WHERE f.object_id = new.object_id
        );
END;
CREATE TRIGGER versions_tally_state AFTER UPDATE OF state ON versions
WHEN (old.state = 'live') <> (new.state = 'live') AND new.id <= (SELECT until FROM tally)
BEGIN
    INSERT INTO tally_changes (sign, id, artifact_id, type, object_id, external)
        VALUES ((new.state = 'live') - (old.state = 'live'), new.id, new.artifact_id, new.type, new.object_id, new.external);
END;
-- Tags go first, while the artifact can still be told that they are counted for.
CREATE TRIGGER versions_tally_goes BEFORE DELETE ON versions WHEN old.id <= (SELECT until FROM tally)
BEGIN
    DELETE FROM version_tags WHERE version_id = old.id;
    INSERT INTO tally_changes (sign, id, artifact_id, type, object_id, external)
        SELECT -1, old.id, old.artifact_id, old.type, old.object_id, old.external WHERE old.state = 'live';
END;
-- The numbers of the last rows are given again when those rows go.
CREATE TRIGGER versions_tally_gone AFTER DELETE ON versions WHEN old.id >= (SELECT until FROM tally)
BEGIN
    UPDATE tally SET until = min(until, (SELECT coalesce(max(id), 0) FROM versions));
END;

CREATE TRIGGER version_tags_tally_added AFTER INSERT ON version_tags WHEN new.version_id <= (SELECT until FROM tally)
BEGIN
    INSERT INTO tally_tags (tag, artifact_id, versions) SELECT new.tag, artifact_id, 1 FROM versions WHERE id = new.version_id
        ON CONFLICT (tag, artifact_id) DO UPDATE SET versions = versions + 1;
END;
CREATE TRIGGER version_tags_tally_gone AFTER DELETE ON version_tags WHEN old.version_id <= (SELECT until FROM tally)
BEGIN
    UPDATE tally_tags SET versions = versions - 1
        WHERE tag = old.tag AND artifact_id = (SELECT artifact_id FROM versions WHERE id = old.version_id);
    DELETE FROM tally_tags
        WHERE tag = old.tag AND artifact_id = (SELECT artifact_id FROM versions WHERE id = old.version_id) AND versions = 0;
END;
