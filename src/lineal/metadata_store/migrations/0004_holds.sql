-- Versions that a run was given or loaded, until edges say what its steps used: as long as the run goes on, nothing prunes them.
CREATE TABLE holds (
    run_id INTEGER NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
    version_id INTEGER NOT NULL REFERENCES versions (id) ON DELETE CASCADE,
    PRIMARY KEY (run_id, version_id)
) WITHOUT ROWID;
CREATE INDEX holds_by_version ON holds (version_id);
