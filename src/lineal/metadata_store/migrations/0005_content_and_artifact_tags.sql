-- What stands for a value in cache keys where its materializer says so, in place of the digest of its bytes.
ALTER TABLE versions ADD COLUMN content TEXT;
-- Tags of artifacts themselves, beside those of their versions.
ALTER TABLE artifacts ADD COLUMN tags TEXT NOT NULL DEFAULT '[]';
CREATE TABLE artifact_tags (
    tag TEXT NOT NULL,
    artifact_id INTEGER NOT NULL REFERENCES artifacts (id) ON DELETE CASCADE,
    PRIMARY KEY (tag, artifact_id)
) WITHOUT ROWID;
CREATE INDEX artifact_tags_by_artifact ON artifact_tags (artifact_id);
