-- When a version's data was pruned, and whether an object's bytes are gone although its row stays to describe pruned versions.
ALTER TABLE versions ADD COLUMN pruned INTEGER;
ALTER TABLE objects ADD COLUMN removed INTEGER NOT NULL DEFAULT 0;
