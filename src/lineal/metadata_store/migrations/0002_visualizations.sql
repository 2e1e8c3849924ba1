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
