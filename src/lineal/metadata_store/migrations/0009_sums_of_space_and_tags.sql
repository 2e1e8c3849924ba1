-- What the page of storage and the list of artifacts ask for, at once also where there are a million versions: sums over the versions up to
-- the row that `tally` names. What comes after it is added by whoever asks, so that a step that ends writes nothing here.
-- By artifact and type: the live versions, those of them whose bytes are ours (`own`), and what these mean and keep.
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

-- Anew: a row that was given again after the last ones went could be missed until now.
UPDATE tally SET until = min(until, (SELECT coalesce(max(id), 0) FROM versions));
UPDATE tally SET versions = n.versions, bytes_meant = n.bytes_meant FROM (
    SELECT count(*) AS versions, coalesce(sum(CASE WHEN v.external IS NULL THEN o.size ELSE 0 END), 0) AS bytes_meant
    FROM versions v CROSS JOIN objects o WHERE v.id <= (SELECT until FROM tally) AND v.state = 'live' AND o.id = v.object_id
) n;
INSERT INTO tally_firsts (object_id, version_id)
SELECT object_id, min(id) FROM versions WHERE id <= (SELECT until FROM tally) AND state = 'live' AND external IS NULL GROUP BY object_id;
INSERT INTO tally_space (artifact_id, type, live, own, bytes_meant, bytes_kept)
SELECT v.artifact_id, v.type, count(*), sum(v.external IS NULL), sum(CASE WHEN v.external IS NULL THEN o.size ELSE 0 END),
    sum(CASE WHEN f.version_id = v.id THEN o.size ELSE 0 END)
FROM versions v CROSS JOIN objects o LEFT JOIN tally_firsts f ON f.object_id = v.object_id
WHERE v.id <= (SELECT until FROM tally) AND v.state = 'live' AND o.id = v.object_id
GROUP BY v.artifact_id + 0, v.type;
INSERT INTO tally_tags (tag, artifact_id, versions)
SELECT t.tag, v.artifact_id, count(*) FROM version_tags t JOIN versions v ON v.id = t.version_id
WHERE v.id <= (SELECT until FROM tally) GROUP BY t.tag, v.artifact_id;

-- One counted version comes (sign 1) or goes (-1) as a live one. A view, because two triggers need the same statements.
DROP TRIGGER versions_tally_gone;
DROP TRIGGER versions_tally_state;
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
