-- What the first pages ask for, at once also where there are a million versions: orders of runs, and sums that need no counting.
CREATE INDEX runs_by_duration ON runs (duration);
CREATE INDEX runs_by_pipeline_and_status ON runs (pipeline, status);
CREATE INDEX runs_with_metadata ON runs (id) WHERE length(metadata) > 2;
CREATE INDEX objects_kept ON objects (size) WHERE removed = 0 AND external IS NULL;

-- One row: of the versions up to a row, how many are live, and the bytes that those mean that are ours. Who asks adds the versions after it;
-- the end of a run moves it on, so a step that ends writes nothing here. Triggers see what changes before it.
CREATE TABLE tally (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    until INTEGER NOT NULL,
    versions INTEGER NOT NULL,
    bytes_meant INTEGER NOT NULL
);
INSERT INTO tally (id, until, versions, bytes_meant) SELECT 1, coalesce(max(v.id), 0), coalesce(sum(v.state = 'live'), 0),
    coalesce(sum(CASE WHEN v.state = 'live' AND v.external IS NULL THEN o.size ELSE 0 END), 0)
FROM versions v JOIN objects o ON o.id = v.object_id;
-- The number of the last row is given again when that row goes.
CREATE TRIGGER versions_tally_gone AFTER DELETE ON versions WHEN old.id <= (SELECT until FROM tally)
BEGIN
    UPDATE tally SET until = min(until, (SELECT coalesce(max(id), 0) FROM versions)),
        versions = versions - (old.state = 'live'),
        bytes_meant = bytes_meant - CASE WHEN old.state = 'live' AND old.external IS NULL
            THEN (SELECT size FROM objects WHERE id = old.object_id) ELSE 0 END;
END;
CREATE TRIGGER versions_tally_state AFTER UPDATE OF state ON versions
WHEN (old.state = 'live') <> (new.state = 'live') AND new.id <= (SELECT until FROM tally)
BEGIN
    UPDATE tally SET versions = versions + (new.state = 'live') - (old.state = 'live'),
        bytes_meant = bytes_meant + ((new.state = 'live') - (old.state = 'live'))
            * CASE WHEN new.external IS NULL THEN (SELECT size FROM objects WHERE id = new.object_id) ELSE 0 END;
END;
