-- Every statement on facts, by name: `-- name: x`, one line of purpose, the statement. statements.py reads this file.
-- `{other}` stands for the text of an earlier name. `{where}` and `{order}` are filled by filters.py from the fragments below.
-- Written for SQLite and PostgreSQL alike; `json_each` (a list of ids as one value) is the one thing that differs.
-- BEGIN, COMMIT and pragmas belong to the connection and stand in connections.py.

-- name: meta
-- The store's own facts: its id, its epoch.
SELECT key, value FROM meta;

-- name: pair_stores
-- Remember which artifact store these facts belong to; the first one wins.
INSERT INTO meta (key, value) VALUES ('artifact_store', ?) ON CONFLICT DO NOTHING;

-- name: epoch
-- How often these facts were changed by runs, saves and deletions: an older copy has a smaller one.
SELECT CAST(value AS INTEGER) FROM meta WHERE key = 'epoch';

-- name: advance_epoch
-- Count a change, unless the artifact store has seen facts with a larger count: then these are an older copy, and that must stay visible.
UPDATE meta SET value = CAST(CAST(value AS INTEGER) + 1 AS TEXT) WHERE key = 'epoch' AND CAST(value AS INTEGER) >= ?
RETURNING CAST(value AS INTEGER);

-- name: accept_epoch
-- These facts are the ones that count from now on.
UPDATE meta SET value = CAST(? AS TEXT) WHERE key = 'epoch' AND CAST(value AS INTEGER) < ?;

-- name: schema_version
-- The newest migration that was applied.
SELECT max(version) FROM migrations;

-- ---------------------------------------------------------------- questions about metadata

-- name: query_value
-- The value at a key of a metadata column (the path is bound twice): its kind, NULL when there is none, and the value to compare.
-- Floats that JSON does not have and times are objects there (json_text.py, model/values.py). A time becomes microseconds since 1970.
SELECT CASE
        WHEN k.type IN ('integer', 'real') OR k.tag IN ('inf', '-inf') THEN 'number'
        WHEN k.type IN ('true', 'false') THEN 'boolean'
        WHEN k.tag = 'nan' OR k.tag = 'time' THEN k.tag
        WHEN k.type IN ('text', 'null') OR k.type IS NULL THEN k.type
        ELSE 'other'
    END AS kind,
    CASE k.tag
        WHEN 'inf' THEN 9e999
        WHEN '-inf' THEN -9e999
        WHEN 'time' THEN CAST(strftime('%s', substr(json_extract(k.held, '$.value'), 1, 19)) AS INTEGER) * 1000000
            + CAST(substr(json_extract(k.held, '$.value'), 21, 6) AS INTEGER) - coalesce(json_extract(k.held, '$.tz.microseconds'), 0)
        ELSE k.held
    END AS value
FROM (
    SELECT h.type, h.held, CASE
        WHEN h.type <> 'object' THEN NULL
        WHEN json_type(h.held, '$."$float"') = 'text' THEN json_extract(h.held, '$."$float"')
        WHEN json_extract(h.held, '$."$$type"') = 'float' THEN json_extract(h.held, '$.value')
        WHEN json_extract(h.held, '$."$$type"') = 'date' THEN 'time'
        WHEN json_extract(h.held, '$."$$type"') = 'datetime'
            AND (json_type(h.held, '$.tz') IS NULL OR json_type(h.held, '$.tz.microseconds') = 'integer') THEN 'time'
    END AS tag
    FROM (SELECT json_type(x.metadata, ?) AS type, json_extract(x.metadata, ?) AS held) h
) k

-- name: query_exists
-- Condition: the key is there.
EXISTS (SELECT 1 FROM ({query_value}) y WHERE y.kind IS NOT NULL)

-- name: query_is
-- Condition: the value is of a kind that has one value: null, nan.
EXISTS (SELECT 1 FROM ({query_value}) y WHERE y.kind = ?)

-- name: query_compare
-- Condition: the value is of this kind and stands in this relation to another.
EXISTS (SELECT 1 FROM ({query_value}) y WHERE y.kind = ? AND y.value {sign} ?)

-- name: query_compare_number
-- Condition: the same for numbers. The other one is bound as JSON, so that both are read by the same code, to the same last bit.
EXISTS (SELECT 1 FROM ({query_value}) y WHERE y.kind = 'number' AND y.value {sign} json_extract(?, '$[0]'))

-- ---------------------------------------------------------------- what a record is made of

-- name: run_columns
-- The columns of a RunRecord, in its order.
r.uid, r.name, r.pipeline, r.status, r.started, r.ended, r.duration, r.parameters, r.tags, r.metadata, r.error, r.plan,
r.environment, r.orchestrator, r.durability, r.process, r.heartbeat, r.id

-- name: step_run_columns
-- The columns of a StepRunRecord, in its order.
s.uid, r.uid, s.name, s.step, s.position, s.status, s.started, s.ended, s.duration, s.cache_key, s.cached_from, s.parameters,
s.ingredients, s.metadata, s.error, s.id

-- name: version_columns
-- The columns of a VersionRecord with its ObjectRecord, in the order that rows.py unpacks.
v.uid, a.name, v.version, v.number, o.digest, o.size, o.files, o.inline, o.boot, v.external, v.materializer, v.type, v.data_type,
v.save_type, v.created, pr.uid, ps.uid, v.output, pr.pipeline, ps.step, v.tags, v.metadata, v.pinned, v.state,
v.pruned, v.content

-- name: version_joins
-- What version_columns needs besides `versions v`: artifact, object, and the step run and run that made it.
JOIN artifacts a ON a.id = v.artifact_id
JOIN objects o ON o.id = v.object_id
LEFT JOIN edges m ON m.version_id = v.id AND m.role = 'made'
LEFT JOIN step_runs ps ON ps.id = m.step_run_id
LEFT JOIN runs pr ON pr.id = ps.run_id

-- ---------------------------------------------------------------- runs

-- name: insert_run
-- Record a run; nothing when its id is there already.
INSERT INTO runs (uid, name, pipeline, status, started, ended, duration, parameters, tags, metadata, error, plan,
    environment, orchestrator, durability, process, heartbeat)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (uid) DO NOTHING
RETURNING id;

-- name: insert_run_tag
-- Note a run's tag for filters.
INSERT INTO run_tags (tag, run_id) VALUES (?, (SELECT id FROM runs WHERE uid = ?)) ON CONFLICT DO NOTHING;

-- name: delete_run_tags
-- Forget a run's tags for filters.
DELETE FROM run_tags WHERE run_id = ?;

-- name: run_state
-- What changing a run starts from.
SELECT id, status, tags, metadata FROM runs WHERE uid = ?;

-- name: finish_run
-- End a run; without a plan the recorded one stays.
UPDATE runs SET status = ?, ended = ?, duration = ?, error = ?, plan = coalesce(?, plan), metadata = ?, environment = ? WHERE id = ?;

-- name: update_run
-- Change a run's tags and metadata.
UPDATE runs SET tags = ?, metadata = ? WHERE id = ?;

-- name: pipeline_of_run
-- The pipeline of a run.
SELECT pipeline FROM runs WHERE uid = ?;

-- name: heartbeat
-- Renew a run's lease.
UPDATE runs SET heartbeat = ? WHERE uid = ?;

-- name: crash_run
-- Mark a run that still says running as crashed.
UPDATE runs SET status = 'crashed', ended = ?, error = ? WHERE uid = ? AND status = 'running' RETURNING id;

-- name: crash_step_runs
-- Mark the step runs of a crashed run that have not ended as crashed.
UPDATE step_runs SET status = 'crashed', ended = ?, error = ? WHERE run_id = ? AND status IN ('running', 'pending');

-- name: run_by_id
-- A run by id.
SELECT {run_columns} FROM runs r WHERE r.uid = ?;

-- name: run_by_id_or_name
-- A run by id, else the newest of that name.
SELECT {run_columns} FROM runs r WHERE r.uid = ? OR r.name = ? ORDER BY r.uid = ? DESC, r.id DESC LIMIT 1;

-- name: runs_by_prefix
-- At most two runs whose ids lie in a range: a prefix that fits two is ambiguous.
SELECT {run_columns} FROM runs r WHERE r.uid >= ? AND r.uid < ? ORDER BY r.uid LIMIT 2;

-- name: runs_by_id
-- Runs by a list of ids.
SELECT {run_columns} FROM runs r WHERE r.uid IN (SELECT value FROM json_each(?));

-- name: run_names_near
-- Names that a mistyped run name may mean: those with the same beginning, and the newest.
SELECT name FROM (SELECT DISTINCT name FROM runs WHERE name >= ? AND name < ? LIMIT 500)
UNION SELECT name FROM (SELECT DISTINCT name FROM runs WHERE name >= ? AND name < ? LIMIT 500)
UNION SELECT name FROM (SELECT name FROM runs ORDER BY id DESC LIMIT 200);

-- name: list_runs
-- One page of runs. Their rows are long, so only those of the page are read whole. CROSS JOIN keeps SQLite to this order, here and below.
SELECT {run_columns} FROM (SELECT r.id FROM runs r {where} ORDER BY {order} LIMIT ? OFFSET ?) page CROSS JOIN runs r
WHERE r.id = page.id ORDER BY {order};

-- name: count_runs
-- How many runs the filters let through.
SELECT count(*) FROM runs r {where};

-- name: count_runs_tagged
-- The same where all that filters is one tag.
SELECT count(*) FROM run_tags t WHERE t.tag = ?;

-- name: runs.pipeline
-- Filter: the pipeline's name.
r.pipeline = ?

-- name: runs.name
-- Filter: the run's name, `*` for anything.
r.name LIKE ? ESCAPE '\'

-- name: runs.status
-- Filter: the state.
r.status = ?

-- name: runs.tag
-- Filter: a tag.
r.id IN (SELECT t.run_id FROM run_tags t WHERE t.tag = ?)

-- name: runs.metadata
-- Filter: a question about the metadata.
EXISTS (SELECT 1 FROM runs x WHERE x.id = r.id AND {query})

-- name: runs_with_metadata
-- Condition: it has metadata at all. Most runs have none, and an index has those that have.
length(r.metadata) > 2

-- name: runs.created_after
-- Filter: started at this time or later.
r.started >= ?

-- name: runs.created_before
-- Filter: started before this time.
r.started < ?

-- ---------------------------------------------------------------- step runs

-- name: finish_step_run
-- End a step run that has no row yet, or one that has not ended. Changes no row when it ended before: then it is a repetition.
-- Here and below ids are looked up where they are needed: SQLite takes five times as long to give one back by RETURNING.
INSERT INTO step_runs (uid, run_id, name, step, position, status, started, ended, duration, cache_key, cached_from, outputs,
    parameters, ingredients, metadata, error)
VALUES (?, (SELECT id FROM runs WHERE uid = ?), ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (uid) DO UPDATE SET status = excluded.status, started = excluded.started, ended = excluded.ended,
    duration = excluded.duration, cache_key = excluded.cache_key, cached_from = excluded.cached_from, outputs = excluded.outputs,
    parameters = excluded.parameters, ingredients = excluded.ingredients, metadata = excluded.metadata,
    error = excluded.error
WHERE step_runs.status IN ('pending', 'running', 'crashed');

-- name: show_step_run
-- Show a step run that has not ended; what has a row already and waits no longer stays as it is.
INSERT INTO step_runs (uid, run_id, name, step, position, status, started, ended, duration, cache_key, cached_from, outputs,
    parameters, ingredients, metadata, error)
VALUES (?, (SELECT id FROM runs WHERE uid = ?), ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (uid) DO UPDATE SET status = excluded.status, started = excluded.started
WHERE step_runs.status = 'pending';

-- name: step_run_origin
-- What a version that is saved inside a step records of it.
SELECT r.uid, r.pipeline, s.step FROM step_runs s JOIN runs r ON r.id = s.run_id WHERE s.uid = ?;

-- name: outputs_of_step_run
-- What a step run gave, in order.
SELECT {version_columns}
FROM step_runs s JOIN edges e ON e.step_run_id = s.id JOIN versions v ON v.id = e.version_id {version_joins}
WHERE s.uid = ? AND e.role <> 'used' AND e.position < 1048576 ORDER BY e.position;

-- name: step_run_by_id
-- A step run by id.
SELECT {step_run_columns} FROM step_runs s JOIN runs r ON r.id = s.run_id WHERE s.uid = ?;

-- name: step_runs_by_id
-- Step runs by a list of ids.
SELECT {step_run_columns} FROM step_runs s JOIN runs r ON r.id = s.run_id WHERE s.uid IN (SELECT value FROM json_each(?));

-- name: step_runs_of_run
-- The step runs of a run in the order of the definition.
SELECT {step_run_columns} FROM runs r JOIN step_runs s ON s.run_id = r.id WHERE r.uid = ? ORDER BY s.position, s.id;

-- name: list_step_runs
-- One page of step runs. A left join is no work where the order does not ask for it.
SELECT {step_run_columns}
FROM (SELECT s.id FROM step_runs s LEFT JOIN runs r ON r.id = s.run_id {where} ORDER BY {order} LIMIT ? OFFSET ?) page
CROSS JOIN step_runs s JOIN runs r ON r.id = s.run_id
WHERE s.id = page.id ORDER BY {order};

-- name: count_step_runs
-- How many step runs the filters let through.
SELECT count(*) FROM step_runs s {where};

-- name: recent_calls
-- Of each call of a pipeline whose name is like a pattern the newest step run, newest first, in so many of the newest runs.
WITH newest (id, pipeline) AS MATERIALIZED (
    SELECT r.id, r.pipeline FROM runs r ORDER BY r.id DESC LIMIT ?
), found (id) AS MATERIALIZED (
    SELECT max(s.id) FROM newest CROSS JOIN step_runs s WHERE s.run_id = newest.id AND s.name LIKE ? ESCAPE '\' GROUP BY newest.pipeline, s.name
)
SELECT s.uid, s.name, s.status, r.uid, r.name, r.pipeline
FROM found CROSS JOIN step_runs s CROSS JOIN runs r WHERE s.id = found.id AND r.id = s.run_id ORDER BY s.id DESC LIMIT ?;

-- name: step_runs.name
-- Filter: the name of the call, `*` for anything.
s.name LIKE ? ESCAPE '\'

-- name: step_runs.step
-- Filter: the step's own name.
s.step = ?

-- name: step_runs.status
-- Filter: the state.
s.status = ?

-- name: step_runs.pipeline
-- Filter: the pipeline's name.
s.run_id IN (SELECT f.id FROM runs f WHERE f.pipeline = ?)

-- name: step_runs.run
-- Filter: its run, by id or name.
s.run_id IN (SELECT f.id FROM runs f WHERE f.uid = ? OR f.name = ?)

-- name: step_runs.metadata
-- Filter: a question about the metadata.
EXISTS (SELECT 1 FROM step_runs x WHERE x.id = s.id AND {query})

-- name: step_runs.created_after
-- Filter: started at this time or later.
s.started >= ?

-- name: step_runs.created_before
-- Filter: started before this time.
s.started < ?

-- name: previous_step_runs
-- The newest step runs of the same pipeline and name before this one that succeeded: runs backwards, a probe in each.
-- CROSS JOIN keeps SQLite to this order.
SELECT {step_run_columns}
FROM step_runs t JOIN runs own ON own.id = t.run_id CROSS JOIN runs r CROSS JOIN step_runs s
WHERE t.uid = ? AND r.pipeline = own.pipeline AND r.id < own.id AND s.run_id = r.id AND s.name = t.name
    AND s.id < t.id AND s.status IN ('completed', 'cached')
ORDER BY r.id DESC, s.id DESC LIMIT 10;

-- name: previous_calls
-- Successful calls of the same step under other names, in the 3 runs of the pipeline before this one.
SELECT {step_run_columns}
FROM step_runs t JOIN runs own ON own.id = t.run_id CROSS JOIN runs r CROSS JOIN step_runs s
WHERE t.uid = ? AND r.id IN (SELECT p.id FROM runs p WHERE p.pipeline = own.pipeline AND p.id < own.id ORDER BY p.id DESC LIMIT 3)
    AND s.run_id = r.id AND s.step = t.step AND s.id < t.id AND s.status IN ('completed', 'cached')
ORDER BY r.id DESC, s.id DESC LIMIT 10;

-- name: step_runs_before
-- All successful step runs of the 3 runs of the pipeline before a run. CROSS JOIN keeps SQLite to this order.
SELECT {step_run_columns}
FROM runs own CROSS JOIN runs r CROSS JOIN step_runs s
WHERE own.uid = ? AND r.id IN (SELECT p.id FROM runs p WHERE p.pipeline = own.pipeline AND p.id < own.id ORDER BY p.id DESC LIMIT 3)
    AND s.run_id = r.id AND s.status IN ('completed', 'cached')
ORDER BY r.id DESC, s.id DESC;

-- name: earlier_step_runs
-- Of each of these names the newest step runs of a pipeline that succeeded, newest first: as previous_step_runs finds them. With each the
-- step run that really ran, how long that took, and the bytes of what it made.
SELECT coalesce(o.uid, s.uid), coalesce(o.duration, CASE s.status WHEN 'completed' THEN s.duration END), (
        SELECT coalesce(sum(b.size), 0) FROM edges e JOIN versions v ON v.id = e.version_id JOIN objects b ON b.id = v.object_id
        WHERE e.step_run_id = coalesce(o.id, s.id) AND e.role = 'made'
    ), {step_run_columns}
FROM json_each(?) n CROSS JOIN step_runs s ON s.id IN (
        SELECT t.id FROM runs q CROSS JOIN step_runs t
        WHERE q.pipeline = ? AND t.run_id = q.id AND t.name = n.value AND t.status IN ('completed', 'cached')
        ORDER BY q.id DESC, t.id DESC LIMIT ?
    )
JOIN runs r ON r.id = s.run_id
LEFT JOIN step_runs o ON o.uid = s.cached_from
ORDER BY s.id DESC;

-- name: step_edges
-- What went into and came out of a step run, in order.
SELECT e.role, e.name, {version_columns}
FROM step_runs s JOIN edges e ON e.step_run_id = s.id JOIN versions v ON v.id = e.version_id {version_joins}
WHERE s.uid = ? ORDER BY e.position;

-- name: find_cached
-- The newest successful step run with a key whose recorded outputs are all live, and the same for the keys of those recorded right after it in
-- its run: the run that answers one call most often answers the next. One row an output (one without, for none).
-- Of those, long listings are left out (they are compressed, and no text): whoever needs one asks for it by itself.
-- Named is the step run that really ran: a reused one points to it, as long as it is there.
WITH first AS (
    SELECT c.id, c.run_id FROM step_runs c
    WHERE c.cache_key = ?1 AND c.status IN ('completed', 'cached') AND c.expired = 0 AND c.outputs = (
        SELECT count(*) FROM edges f JOIN versions w ON w.id = f.version_id
        WHERE f.step_run_id = c.id AND f.role <> 'used' AND f.position < 1048576 AND w.state = 'live'
    )
    ORDER BY c.id DESC LIMIT 1
)
SELECT hit.cache_key, coalesce(origin.uid, hit.uid), r.uid, r.name, coalesce(origin.ended, hit.ended), hit.outputs, e.name, {version_columns}
FROM first
JOIN step_runs s ON s.id BETWEEN first.id AND first.id + ?2 AND +s.run_id = first.run_id
JOIN step_runs hit ON hit.id = CASE WHEN s.id = first.id THEN s.id ELSE (
    SELECT c.id FROM step_runs c
    WHERE c.cache_key = s.cache_key AND c.status IN ('completed', 'cached') AND c.expired = 0 AND c.outputs = (
        SELECT count(*) FROM edges f JOIN versions w ON w.id = f.version_id
        WHERE f.step_run_id = c.id AND f.role <> 'used' AND f.position < 1048576 AND w.state = 'live'
    )
    ORDER BY c.id DESC LIMIT 1
) END
LEFT JOIN step_runs origin ON origin.uid = hit.cached_from
JOIN runs r ON r.id = coalesce(origin.run_id, hit.run_id)
LEFT JOIN edges e ON e.step_run_id = hit.id AND e.role <> 'used' AND e.position < 1048576
LEFT JOIN versions v ON v.id = e.version_id
LEFT JOIN artifacts a ON a.id = v.artifact_id
LEFT JOIN objects o ON o.id = v.object_id
LEFT JOIN edges m ON m.version_id = v.id AND m.role = 'made'
LEFT JOIN step_runs ps ON ps.id = m.step_run_id
LEFT JOIN runs pr ON pr.id = ps.run_id
WHERE s.id = first.id OR o.id IS NULL OR typeof(o.files) = 'text';

-- name: find_running
-- The run of the newest step run with this key that is running.
SELECT {run_columns} FROM step_runs s JOIN runs r ON r.id = s.run_id WHERE s.cache_key = ? AND s.status = 'running'
ORDER BY s.id DESC LIMIT 1;

-- ---------------------------------------------------------------- edges

-- name: insert_edges
-- Record edges; one of the two rows below for each.
INSERT INTO edges (step_run_id, role, position, name, kind, version_id) VALUES

-- name: edge
-- Row: a version that exists.
((SELECT id FROM step_runs WHERE uid = ?), ?, ?, ?, ?, (SELECT id FROM versions WHERE uid = ?))

-- name: live_edge
-- Row: a version whose data must still be there.
((SELECT id FROM step_runs WHERE uid = ?), ?, ?, ?, ?, (SELECT id FROM versions WHERE uid = ? AND state = 'live'))

-- name: next_saved_position
-- Where the next version stands that is saved inside a step, after its outputs, from 1048576 on; and whether the one of a name stands there.
SELECT coalesce(max(position), 1048575) + 1, coalesce(max(name = ?), 0) FROM edges WHERE step_run_id = (SELECT id FROM step_runs WHERE uid = ?) AND role <> 'used' AND position >= 1048576;

-- ---------------------------------------------------------------- versions

-- name: kept_of_object
-- What an object that is recorded again keeps: what is ours wins over what is registered elsewhere; what is durable stays durable.
ON CONFLICT (digest) DO UPDATE SET
    inline = coalesce(objects.inline, excluded.inline),
    boot = CASE WHEN excluded.external IS NOT NULL OR (objects.external IS NULL AND objects.boot IS NULL) THEN objects.boot
        ELSE excluded.boot END,
    external = CASE WHEN objects.external IS NULL THEN NULL ELSE excluded.external END,
    removed = 0;

-- name: upsert_object
-- Record an object.
INSERT INTO objects (digest, size, files, inline, boot, external) VALUES (?, ?, ?, ?, ?, ?) {kept_of_object};

-- name: upsert_objects
-- Record the object of a version and that of its visualizations.
INSERT INTO objects (digest, size, files, inline, boot, external) VALUES (?, ?, ?, ?, ?, ?), (?, ?, ?, ?, ?, ?) {kept_of_object};

-- name: next_number
-- Take the artifact's next number, making the artifact when it is new. A transaction that rolls back gives the number back.
INSERT INTO artifacts (name, next, created) VALUES (?, 2, ?)
ON CONFLICT (name) DO UPDATE SET next = artifacts.next + 1
RETURNING id, next - 1;

-- name: reserve_number
-- Find or make an artifact and move its count to this value or beyond.
INSERT INTO artifacts (name, next, created) VALUES (?, ?, ?)
ON CONFLICT (name) DO UPDATE SET next = CASE WHEN excluded.next > artifacts.next THEN excluded.next ELSE artifacts.next END
RETURNING id;

-- name: is_retired
-- Whether a number belonged to a version that was deleted.
SELECT 1 FROM retired WHERE artifact_id = ? AND number = ?;

-- name: insert_version
-- Record a version.
INSERT INTO versions (uid, artifact_id, version, number, object_id, output, materializer, type, data_type, save_type, created,
    external, tags, metadata, content)
VALUES (?, ?, ?, ?, (SELECT id FROM objects WHERE digest = ?), ?, ?, ?, ?, ?, ?, ?, ?, ?, ?);

-- name: same_version
-- The id, digest and state of an explicit version that may exist.
SELECT v.uid, o.digest, v.state FROM versions v JOIN objects o ON o.id = v.object_id WHERE v.artifact_id = ? AND v.version = ?;

-- name: version_states
-- The states of versions by a list of ids, for a message.
SELECT uid, state FROM versions WHERE uid IN (SELECT value FROM json_each(?));

-- name: revive_version
-- The bytes of a pruned version are there again.
UPDATE versions SET state = 'live', pruned = NULL WHERE uid = ?;

-- name: holders_of_tag
-- The versions of a version's artifact that carry a tag, except that version itself.
SELECT o.id, o.uid, o.tags FROM version_tags t JOIN versions o ON o.id = t.version_id JOIN versions v ON v.artifact_id = o.artifact_id
WHERE t.tag = ? AND v.id = ? AND o.id <> v.id;

-- name: set_version_tags
-- Change a version's tags.
UPDATE versions SET tags = ? WHERE id = ?;

-- name: insert_version_tag
-- Note a version's tag for filters.
INSERT INTO version_tags (tag, version_id) VALUES (?, (SELECT id FROM versions WHERE uid = ?)) ON CONFLICT DO NOTHING;

-- name: delete_version_tags
-- Forget a version's tags for filters.
DELETE FROM version_tags WHERE version_id = ?;

-- name: artifact_tags
-- What changing an artifact's tags starts from; none for an artifact without versions.
SELECT a.id, a.tags FROM artifacts a WHERE a.name = ? AND EXISTS (SELECT 1 FROM versions v WHERE v.artifact_id = a.id);

-- name: set_artifact_tags
-- Change an artifact's tags.
UPDATE artifacts SET tags = ? WHERE id = ?;

-- name: insert_artifact_tag
-- Note an artifact's tag for filters.
INSERT INTO artifact_tags (tag, artifact_id) VALUES (?, ?) ON CONFLICT DO NOTHING;

-- name: delete_artifact_tags
-- Forget an artifact's tags for filters.
DELETE FROM artifact_tags WHERE artifact_id = ?;

-- name: empty_artifacts
-- Artifacts that have tags and no version any more.
SELECT DISTINCT t.artifact_id FROM artifact_tags t WHERE NOT EXISTS (SELECT 1 FROM versions v WHERE v.artifact_id = t.artifact_id);

-- name: version_state
-- What changing a version starts from.
SELECT id, tags, metadata, pinned FROM versions WHERE uid = ?;

-- name: update_version
-- Change a version's tags, metadata and pin.
UPDATE versions SET tags = ?, metadata = ?, pinned = ? WHERE id = ?;

-- name: insert_visualizations
-- Record the visualizations of a version, one row below for each; their object was recorded before.
INSERT INTO visualizations (version_id, position, kind, title, object_id, file) VALUES

-- name: visualization
-- Row: a visualization.
((SELECT id FROM versions WHERE uid = ?), ?, ?, ?, (SELECT id FROM objects WHERE digest = ?), ?)

-- name: visualizations
-- The visualizations of a version in order, each with the object that holds all of them.
SELECT o.digest, o.size, o.files, o.inline, o.boot, o.external, c.kind, c.title, c.file
FROM versions v JOIN visualizations c ON c.version_id = v.id JOIN objects o ON o.id = c.object_id
WHERE v.uid = ? ORDER BY c.position;

-- name: settle
-- An object is durable now.
UPDATE objects SET boot = NULL WHERE digest = ?;

-- name: add_trust
-- Note that somebody trusts bytes; the same note again adds nothing.
INSERT INTO trust (digest, version, person, given) SELECT ?1, ?2, ?3, ?4
WHERE NOT EXISTS (SELECT 1 FROM trust WHERE digest = ?1 AND version = ?2 AND person = ?3 AND given = ?4);

-- name: trust_in
-- Who trusted these bytes, first things first.
SELECT digest, version, person, given FROM trust WHERE digest = ? ORDER BY id;

-- name: version_by_id
-- A version by id.
SELECT {version_columns} FROM versions v {version_joins} WHERE v.uid = ?;

-- name: versions_by_id
-- Versions by a list of ids.
SELECT {version_columns} FROM versions v {version_joins} WHERE v.uid IN (SELECT value FROM json_each(?));

-- name: versions_by_name
-- Versions by a list of pairs of artifact and version. CROSS JOIN keeps SQLite to this order.
SELECT {version_columns}
FROM json_each(?) named CROSS JOIN artifacts n CROSS JOIN versions v {version_joins}
WHERE n.name = json_extract(named.value, '$[0]') AND v.artifact_id = n.id AND v.version = json_extract(named.value, '$[1]');

-- name: version_by_number
-- A version by the artifact's name and the version's text.
SELECT {version_columns} FROM versions v {version_joins} WHERE a.name = ? AND v.version = ?;

-- name: latest_of_name
-- The row id of the newest version of an artifact that was not pruned. A lost one counts: an older one in its stead would be wrong data.
SELECT (SELECT max(u.id) FROM (
    SELECT max(w.id) AS id FROM versions w WHERE w.artifact_id = b.id AND w.state = 'live'
    UNION ALL SELECT max(w.id) FROM versions w WHERE w.artifact_id = b.id AND w.state = 'lost'
) u) AS id FROM artifacts b WHERE b.name = ?

-- name: latest_version
-- The newest live version of an artifact.
SELECT {version_columns} FROM versions v {version_joins} WHERE v.id = ({latest_of_name});

-- name: latest_version_or_id
-- The newest live version of the artifact of that name, and at most two versions whose ids lie in a range.
SELECT c.place, {version_columns}
FROM (
    SELECT 0 AS place, id FROM ({latest_of_name}) named
    UNION ALL SELECT 1, id FROM (SELECT id FROM versions WHERE uid >= ? AND uid < ? ORDER BY uid LIMIT 2) ranged
) c JOIN versions v ON v.id = c.id {version_joins}
ORDER BY c.place;

-- name: newest_of_any_state
-- The newest version of an artifact, for a message when none is live or the wanted one is not there.
SELECT w.version, w.pruned FROM artifacts b JOIN versions w ON w.artifact_id = b.id WHERE b.name = ? ORDER BY w.id DESC LIMIT 1;

-- name: artifact_names_near
-- Names that a mistyped artifact name may mean: those with the same beginning, and the newest.
SELECT name FROM (SELECT name FROM artifacts WHERE name >= ? AND name < ? LIMIT 500)
UNION SELECT name FROM (SELECT name FROM artifacts WHERE name >= ? AND name < ? LIMIT 500)
UNION SELECT name FROM (SELECT name FROM artifacts ORDER BY id DESC LIMIT 200);

-- name: insert_code
-- Record the code of a step; nothing when its digest is there already.
INSERT INTO code (digest, parts, source) VALUES (?, ?, ?) ON CONFLICT DO NOTHING;

-- name: code_by_digest
-- The code of a step.
SELECT digest, parts, source FROM code WHERE digest = ?;

-- name: object_by_digest
-- An object.
SELECT digest, size, files, inline, boot, external FROM objects WHERE digest = ?;

-- name: list_versions
-- One page of versions: first which, by as little as tells their order.
SELECT {version_columns}
FROM (
    SELECT v.id FROM versions v JOIN artifacts a ON a.id = v.artifact_id LEFT JOIN objects o ON o.id = v.object_id
    {where} ORDER BY {order} LIMIT ? OFFSET ?
) page CROSS JOIN versions v {version_joins}
WHERE v.id = page.id ORDER BY {order};

-- name: count_versions
-- How many versions the filters let through.
SELECT count(*) FROM versions v {where};

-- name: count_versions_tagged
-- The same where all that filters is one tag.
SELECT count(*) FROM version_tags t WHERE t.tag = ?;

-- name: versions.artifact
-- Filter: the artifact's exact name.
v.artifact_id = (SELECT f.id FROM artifacts f WHERE f.name = ?)

-- name: versions.name
-- Filter: the artifact's name, `*` for anything.
v.artifact_id IN (SELECT f.id FROM artifacts f WHERE f.name LIKE ? ESCAPE '\')

-- name: versions.version
-- Filter: the version's text.
v.version = ?

-- name: versions.tag
-- Filter: a tag.
v.id IN (SELECT t.version_id FROM version_tags t WHERE t.tag = ?)

-- name: versions.data_type
-- Filter: kind of artifact.
v.data_type = ?

-- name: versions.type
-- Filter: the Python type.
v.type = ?

-- name: versions.pipeline
-- Filter: the pipeline that made it.
v.id IN (SELECT e.version_id FROM runs r JOIN step_runs s ON s.run_id = r.id JOIN edges e ON e.step_run_id = s.id
    WHERE r.pipeline = ? AND e.role = 'made')

-- name: versions.step
-- Filter: the step that made it.
v.id IN (SELECT e.version_id FROM step_runs s JOIN edges e ON e.step_run_id = s.id WHERE s.step = ? AND e.role = 'made')

-- name: versions.run
-- Filter: the run that made it, by id or name.
v.id IN (SELECT e.version_id FROM runs r JOIN step_runs s ON s.run_id = r.id JOIN edges e ON e.step_run_id = s.id
    WHERE (r.uid = ? OR r.name = ?) AND e.role = 'made')

-- name: versions.metadata
-- Filter: a question about the metadata.
EXISTS (SELECT 1 FROM versions x WHERE x.id = v.id AND {query})

-- name: versions.created_after
-- Filter: made at this time or later.
v.created >= ?

-- name: versions.created_before
-- Filter: made before this time.
v.created < ?

-- name: artifact_source
-- Each artifact with its newest live version.
artifacts a JOIN versions l ON l.id = (
    SELECT w.id FROM versions w WHERE w.artifact_id = a.id AND w.state = 'live' ORDER BY w.id DESC LIMIT 1
) JOIN objects o ON o.id = l.object_id

-- name: list_artifacts
-- One page of artifacts that have a live version: first which, then how many versions each has, counted before and after the row of the tally.
SELECT a.name, (SELECT coalesce(sum(n.live), 0) FROM tally_space n WHERE n.artifact_id = a.id) + (
        SELECT count(*) FROM versions n WHERE n.artifact_id = a.id AND n.state = 'live' AND n.id > (SELECT until FROM tally)
    ), l.version, a.created, l.created, l.data_type, l.type, o.size, a.tags
FROM (SELECT a.id, l.id AS newest FROM {artifact_source} {where} ORDER BY {order} LIMIT ? OFFSET ?) page
CROSS JOIN artifacts a CROSS JOIN versions l CROSS JOIN objects o
WHERE a.id = page.id AND l.id = page.newest AND o.id = l.object_id ORDER BY {order};

-- name: count_artifacts
-- How many artifacts the filters let through.
SELECT count(*) FROM {artifact_source} {where};

-- name: artifacts.name
-- Filter: the name, `*` for anything.
a.name LIKE ? ESCAPE '\'

-- name: artifacts.tag
-- Filter: a tag of its own, or of any of its versions.
a.id IN (SELECT t.artifact_id FROM artifact_tags t WHERE t.tag = ?
    UNION SELECT t.artifact_id FROM tally_tags t WHERE t.tag = ?
    UNION SELECT n.artifact_id FROM version_tags t JOIN versions n ON n.id = t.version_id
        WHERE t.tag = ? AND t.version_id > (SELECT until FROM tally))

-- name: artifacts.data_type
-- Filter: kind of artifact of the newest version.
l.data_type = ?

-- name: artifacts.type
-- Filter: the Python type of the newest version.
l.type = ?

-- ---------------------------------------------------------------- deleting

-- name: hold_version
-- Note that a run may use a version; no row when the version is gone.
INSERT INTO holds (run_id, version_id) SELECT r.id, v.id FROM runs r JOIN versions v ON v.uid = ? AND v.state = 'live' WHERE r.uid = ?
ON CONFLICT (run_id, version_id) DO UPDATE SET version_id = excluded.version_id;

-- name: end_holds
-- A run has ended: what it used its edges say.
DELETE FROM holds WHERE run_id = ?;

-- name: references
-- What refers to a version, bound twice: the edges with their kind, run and step run, in the order of the runs, then runs that hold it.
SELECT e.role, r.uid, r.name, s.uid, s.name, r.id AS run_order, s.id AS step_order, e.position
FROM versions v JOIN edges e ON e.version_id = v.id JOIN step_runs s ON s.id = e.step_run_id JOIN runs r ON r.id = s.run_id WHERE v.uid = ?
UNION ALL
SELECT 'held', r.uid, r.name, '', '', r.id, 0, -1
FROM versions v JOIN holds h ON h.version_id = v.id JOIN runs r ON r.id = h.run_id AND r.status = 'running' WHERE v.uid = ?
ORDER BY 6, 7, 8;

-- name: unreferenced
-- Condition: no run and no pin refers to the version v.
v.pinned = 0 AND NOT EXISTS (SELECT 1 FROM edges e WHERE e.version_id = v.id)
    AND NOT EXISTS (SELECT 1 FROM holds h JOIN runs r ON r.id = h.run_id WHERE h.version_id = v.id AND r.status = 'running')

-- name: version_ids
-- The versions of an artifact by its exact name.
SELECT v.uid FROM artifacts a JOIN versions v ON v.artifact_id = a.id WHERE a.name = ? ORDER BY v.id;

-- name: version_to_delete
-- A version by id, with its pin.
SELECT v.id, a.name, v.version, v.pinned FROM versions v JOIN artifacts a ON a.id = v.artifact_id WHERE v.uid = ?;

-- name: delete_version
-- Delete a version that no edge refers to; its tags and visualizations go with it, and its number is retired.
DELETE FROM versions WHERE id = ?;

-- name: only_of_runs
-- How many versions only these runs refer to, given as a list of ids, and the bytes of their objects.
WITH chosen (id) AS MATERIALIZED (
    SELECT r.id FROM runs r WHERE r.uid IN (SELECT value FROM json_each(?))
), referred (id) AS MATERIALIZED (
    SELECT DISTINCT e.version_id FROM chosen CROSS JOIN step_runs s CROSS JOIN edges e WHERE s.run_id = chosen.id AND e.step_run_id = s.id
)
SELECT count(*), coalesce(sum(CASE WHEN v.state = 'live' THEN o.size ELSE 0 END), 0)
FROM referred CROSS JOIN versions v CROSS JOIN objects o
WHERE v.id = referred.id AND o.id = v.object_id AND v.pinned = 0 AND NOT EXISTS (
    SELECT 1 FROM edges f JOIN step_runs t ON t.id = f.step_run_id
    WHERE f.version_id = v.id AND t.run_id NOT IN (SELECT id FROM chosen)
);

-- name: delete_step_runs
-- Delete the step runs of a run with their edges.
DELETE FROM step_runs WHERE run_id = ?;

-- name: delete_run
-- Delete a run without step runs; its tags go with it.
DELETE FROM runs WHERE id = ?;

-- name: prunable
-- Versions that nothing refers to, older than a time and not among the newest so many live ones of their artifact (that number, and one less),
-- oldest first; with how many live versions share the object. Those are counted once for each object, not for each version.
WITH found (id, object_id) AS MATERIALIZED (
    SELECT v.id, v.object_id FROM (SELECT v.* FROM versions v {where}) v
    WHERE {unreferenced} AND v.created < ? AND (? = 0 OR v.state <> 'live' OR v.id < (
        SELECT n.id FROM versions n WHERE n.artifact_id = v.artifact_id AND n.state = 'live' ORDER BY n.id DESC LIMIT 1 OFFSET ?
    ))
)
SELECT v.uid, a.name, v.version, o.digest, o.size, v.state, v.external, v.created, coalesce(s.live, 0)
FROM found f JOIN versions v ON v.id = f.id JOIN artifacts a ON a.id = v.artifact_id JOIN objects o ON o.id = v.object_id
LEFT JOIN (
    SELECT w.object_id, count(*) AS live FROM versions w
    WHERE w.state = 'live' AND w.object_id IN (SELECT object_id FROM found) GROUP BY w.object_id
) s ON s.object_id = v.object_id
ORDER BY v.id;

-- name: still_prunable
-- Of versions by a list of ids, those that still nothing refers to.
SELECT v.id, v.uid, v.object_id, v.state, v.external FROM versions v
WHERE v.uid IN (SELECT value FROM json_each(?)) AND {unreferenced};

-- name: bury_version
-- The data of a version goes, its record stays.
UPDATE versions SET state = 'pruned', pruned = ? WHERE id = ?;

-- name: delete_visualizations_of
-- Forget the visualizations of a version by row.
DELETE FROM visualizations WHERE version_id = ?;

-- name: needed
-- Condition: a version that was not pruned or a visualization needs the object o. A lost one too: its bytes may be found again.
EXISTS (SELECT 1 FROM versions w WHERE w.object_id = o.id AND w.state <> 'pruned')
    OR EXISTS (SELECT 1 FROM visualizations c WHERE c.object_id = o.id)

-- name: condemned
-- Objects that nothing needs any more and whose bytes may still be there.
SELECT o.digest, CASE WHEN o.external IS NULL THEN o.size ELSE 0 END FROM objects o
WHERE o.removed = 0 AND NOT ({needed}) ORDER BY o.id;

-- name: condemned_object
-- An object by digest, if nothing needs it; its inline size.
SELECT o.id, coalesce(length(o.inline), 0) FROM objects o WHERE o.digest = ? AND o.removed = 0 AND NOT ({needed});

-- name: object_removed
-- The bytes of an object are gone.
UPDATE objects SET removed = 1, inline = NULL WHERE id = ?;

-- name: delete_object
-- Delete an object that no version and no visualization refers to.
DELETE FROM objects WHERE id = ? AND NOT EXISTS (SELECT 1 FROM versions w WHERE w.object_id = objects.id)
    AND NOT EXISTS (SELECT 1 FROM visualizations c WHERE c.object_id = objects.id);

-- name: bytes_kept
-- The bytes of all objects that are ours and there.
SELECT coalesce(sum(size), 0) FROM objects WHERE removed = 0 AND external IS NULL;

-- ---------------------------------------------------------------- looking after it

-- name: last_object
-- The newest row of an object, and the bytes of all that must be there.
SELECT coalesce(max(o.id), 0), coalesce(sum(CASE WHEN o.removed = 0 THEN o.size ELSE 0 END), 0) FROM objects o;

-- name: needed_objects
-- What versions and visualizations need, of the objects in a range of rows (bound twice): once for each place of registered data.
SELECT o.id, o.removed, n.live, n.lost, o.digest, o.size, o.files, o.inline, o.boot, n.external
FROM (
    SELECT v.object_id AS id, v.external AS external, max(CASE v.state WHEN 'live' THEN 1 ELSE 0 END) AS live,
        max(CASE v.state WHEN 'lost' THEN 1 ELSE 0 END) AS lost
    FROM versions v WHERE v.object_id > ? AND v.object_id <= ? AND v.state <> 'pruned' GROUP BY v.object_id, v.external
    UNION ALL
    SELECT c.object_id, NULL, 1, 0 FROM visualizations c WHERE c.object_id > ? AND c.object_id <= ? AND NOT EXISTS (
        SELECT 1 FROM versions v WHERE v.object_id = c.object_id AND v.state <> 'pruned' AND v.external IS NULL
    ) GROUP BY c.object_id
) n JOIN objects o ON o.id = n.id
ORDER BY o.id;

-- name: recorded_objects
-- Of digests, given as a list, those whose bytes a row says are there.
SELECT o.digest FROM objects o WHERE o.digest IN (SELECT value FROM json_each(?)) AND o.removed = 0;

-- name: versions_of_object
-- The versions of an object in a place (bound twice, NULL where it is ours) that were not pruned, and those that it visualizes (the digest again).
SELECT v.uid, 0 FROM objects o JOIN versions v ON v.object_id = o.id
WHERE o.digest = ? AND v.state <> 'pruned' AND (v.external = ? OR (v.external IS NULL AND ? IS NULL))
UNION ALL
SELECT v.uid, 1 FROM objects o JOIN visualizations c ON c.object_id = o.id JOIN versions v ON v.id = c.version_id
WHERE o.digest = ? GROUP BY v.uid;

-- name: lose_versions
-- The bytes of an object that is ours are lost.
UPDATE versions SET state = 'lost', pruned = ? WHERE object_id = (SELECT id FROM objects WHERE digest = ?) AND state = 'live' AND external IS NULL
RETURNING uid;

-- name: lose_visualizations
-- Forget the visualizations that an object held.
DELETE FROM visualizations WHERE object_id = (SELECT id FROM objects WHERE digest = ?);

-- name: lose_inline
-- Bytes in a row that are not what was saved must not be taken for it when the value is made again.
UPDATE objects SET inline = NULL WHERE digest = ?;

-- name: object_there
-- The bytes of an object are there, whatever its row said.
UPDATE objects SET removed = 0 WHERE digest = ?;

-- name: find_versions
-- The bytes of lost versions are there again.
UPDATE versions SET state = 'live', pruned = NULL WHERE object_id = (SELECT id FROM objects WHERE digest = ?) AND state = 'lost'
    AND external IS NULL
RETURNING uid;

-- name: broken_tombstones
-- Versions in a state that their other facts deny: pruned or lost at no time, or live and pruned at some.
SELECT v.uid, a.name, v.version, v.state FROM versions v JOIN artifacts a ON a.id = v.artifact_id
WHERE (v.state <> 'live' AND v.pruned IS NULL) OR (v.state = 'live' AND v.pruned IS NOT NULL) OR v.state NOT IN ('live', 'pruned', 'lost');

-- name: mend_tombstone
-- Make a version's time fit its state.
UPDATE versions SET pruned = CASE state WHEN 'live' THEN NULL ELSE coalesce(pruned, ?) END WHERE uid = ?;

-- ---------------------------------------------------------------- overviews

-- name: run_edges
-- What went into and came out of all step runs of a run, in order.
SELECT s.uid, e.role, e.name, {version_columns}
FROM runs r JOIN step_runs s ON s.run_id = r.id JOIN edges e ON e.step_run_id = s.id JOIN versions v ON v.id = e.version_id {version_joins}
WHERE r.uid = ? ORDER BY s.position, s.id, e.position;

-- name: run_ports
-- The same with what tells the versions apart.
SELECT s.uid, e.role, e.name, v.uid, a.name, v.version, v.type, o.size
FROM runs r JOIN step_runs s ON s.run_id = r.id JOIN edges e ON e.step_run_id = s.id JOIN versions v ON v.id = e.version_id
JOIN artifacts a ON a.id = v.artifact_id JOIN objects o ON o.id = v.object_id
WHERE r.uid = ? ORDER BY s.position, s.id, e.position;

-- name: step_counts
-- How the steps of some runs ended, and what they took; of a cached one, what its result took when it was made.
SELECT r.uid, s.status, count(*), sum(coalesce(CASE WHEN s.status = 'cached' THEN origin.duration ELSE s.duration END, 0))
FROM runs r JOIN step_runs s ON s.run_id = r.id LEFT JOIN step_runs origin ON origin.uid = s.cached_from
WHERE r.uid IN (SELECT value FROM json_each(?)) GROUP BY r.id, s.status ORDER BY r.id, s.status;

-- name: list_pipelines
-- All pipelines with the numbers of their runs and the newest run, the last run first.
SELECT p.pipeline, p.runs, p.completed, p.failed, p.running, r.uid, r.name, r.status, r.started, (
    SELECT json_group_array(d.duration) FROM (
        SELECT e.id, e.duration FROM runs e WHERE e.pipeline = p.pipeline AND e.duration IS NOT NULL ORDER BY e.id DESC LIMIT 30
    ) d
)
FROM (
    SELECT pipeline, count(*) AS runs, sum(status = 'completed') AS completed, sum(status IN ('failed', 'crashed')) AS failed,
        sum(status = 'running') AS running, max(id) AS newest
    FROM runs GROUP BY pipeline
) p JOIN runs r ON r.id = p.newest
ORDER BY p.newest DESC;

-- name: after_tally
-- What the versions after the row of the tally add to it.
SELECT coalesce(max(v.id), 0) AS until, count(CASE WHEN v.state = 'live' THEN 1 END) AS versions,
    coalesce(sum(CASE WHEN v.state = 'live' AND v.external IS NULL THEN o.size ELSE 0 END), 0) AS bytes_meant
FROM versions v JOIN objects o ON o.id = v.object_id WHERE v.id > (SELECT until FROM tally)

-- name: totals
-- What is stored in all.
SELECT (SELECT count(*) FROM runs), (SELECT count(*) FROM artifacts a WHERE EXISTS (SELECT 1 FROM versions v WHERE v.artifact_id = a.id)),
    t.versions + n.versions, k.objects, k.bytes_kept, t.bytes_meant + n.bytes_meant
FROM tally t
CROSS JOIN (SELECT count(*) AS objects, coalesce(sum(size), 0) AS bytes_kept FROM objects WHERE removed = 0 AND external IS NULL) k
CROSS JOIN ({after_tally}) n;

-- name: tally_is_due
-- Whether so many versions wait to be counted into the tally.
SELECT 1 FROM tally WHERE until + ? <= (SELECT max(id) FROM versions);

-- name: uncounted
-- The live versions after the row of the tally, whether their bytes are ours, and whether it is the first of those that holds its object.
-- `+ 0` keeps SQLite from reading all versions by an index that has them in this order.
SELECT v.artifact_id, v.type, v.object_id, v.id, o.size, v.external IS NULL AS is_own, v.external IS NULL
    AND row_number() OVER (PARTITION BY v.object_id + 0, v.external IS NULL ORDER BY v.id) = 1
    AND NOT EXISTS (SELECT 1 FROM tally_firsts f WHERE f.object_id = v.object_id) AS is_first
FROM versions v CROSS JOIN objects o
WHERE v.id > (SELECT until FROM tally) AND o.id = v.object_id AND v.state = 'live'

-- name: uncounted_space
-- What these add to `tally_space`.
SELECT u.artifact_id, u.type, count(*) AS live, sum(CASE WHEN u.is_own THEN 1 ELSE 0 END) AS own,
    sum(CASE WHEN u.is_own THEN u.size ELSE 0 END) AS bytes_meant, sum(CASE WHEN u.is_first THEN u.size ELSE 0 END) AS bytes_kept
FROM ({uncounted}) u GROUP BY u.artifact_id, u.type

-- name: uncounted_tags
-- The tags of versions after the row of the tally.
SELECT t.tag, v.artifact_id FROM version_tags t JOIN versions v ON v.id = t.version_id WHERE t.version_id > (SELECT until FROM tally)

-- name: advance_tally_space
-- Count the new versions into the sums by artifact and type.
INSERT INTO tally_space (artifact_id, type, live, own, bytes_meant, bytes_kept)
SELECT n.artifact_id, n.type, n.live, n.own, n.bytes_meant, n.bytes_kept FROM ({uncounted_space}) n WHERE 1 = 1
ON CONFLICT (artifact_id, type) DO UPDATE SET live = tally_space.live + excluded.live, own = tally_space.own + excluded.own,
    bytes_meant = tally_space.bytes_meant + excluded.bytes_meant, bytes_kept = tally_space.bytes_kept + excluded.bytes_kept;

-- name: advance_tally_firsts
-- Note which of them are the first that hold their object.
INSERT INTO tally_firsts (object_id, version_id) SELECT u.object_id, u.id FROM ({uncounted}) u WHERE u.is_first;

-- name: advance_tally_tags
-- Count their tags.
INSERT INTO tally_tags (tag, artifact_id, versions)
SELECT n.tag, n.artifact_id, count(*) FROM ({uncounted_tags}) n WHERE 1 = 1 GROUP BY n.tag, n.artifact_id
ON CONFLICT (tag, artifact_id) DO UPDATE SET versions = tally_tags.versions + excluded.versions;

-- name: advance_tally
-- Count the new versions into the tally. The last of the four: it moves the row that the others begin after.
UPDATE tally SET until = n.until, versions = tally.versions + n.versions, bytes_meant = tally.bytes_meant + n.bytes_meant
FROM ({after_tally}) n WHERE n.until > tally.until;

-- name: space
-- What takes space, largest first: versions by artifact and type, their bytes, and of these the bytes that no earlier version has too.
SELECT a.name, s.type, sum(s.own), sum(s.bytes_meant), sum(s.bytes_kept)
FROM (
    SELECT artifact_id, type, own, bytes_meant, bytes_kept FROM tally_space WHERE own > 0
    UNION ALL SELECT artifact_id, type, own, bytes_meant, bytes_kept FROM ({uncounted_space}) n WHERE own > 0
) s JOIN artifacts a ON a.id = s.artifact_id
GROUP BY s.artifact_id, s.type ORDER BY 5 DESC, 4 DESC, 1;

-- name: artifact_facets
-- How many artifacts have a newest version of each kind and type, and how many have each tag, their own or a version's, most first.
SELECT 'data_type', l.data_type, count(*) FROM {artifact_source} GROUP BY l.data_type
UNION ALL
SELECT 'type', l.type, count(*) FROM {artifact_source} GROUP BY l.type
UNION ALL
SELECT 'tag', t.tag, count(DISTINCT t.artifact_id) FROM (
    SELECT tag, artifact_id FROM artifact_tags
    UNION ALL SELECT tag, artifact_id FROM tally_tags
    UNION ALL SELECT tag, artifact_id FROM ({uncounted_tags}) n
) t WHERE EXISTS (SELECT 1 FROM versions v WHERE v.artifact_id = t.artifact_id AND v.state = 'live') GROUP BY t.tag
ORDER BY 1, 3 DESC, 2;

-- ---------------------------------------------------------------- lineage

-- name: use_counts
-- How many step runs used each of some versions, given as a list of ids; those that were answered from the cache left out.
SELECT v.uid, count(DISTINCT s.id) FROM versions v JOIN edges e ON e.version_id = v.id AND e.role = 'used'
JOIN step_runs s ON s.id = e.step_run_id AND s.status <> 'cached'
WHERE v.uid IN (SELECT value FROM json_each(?)) GROUP BY v.uid;

-- name: version_names
-- What tells versions apart, by a list of ids.
SELECT v.uid, a.name, v.version, v.type, o.digest, ps.uid
FROM versions v JOIN artifacts a ON a.id = v.artifact_id JOIN objects o ON o.id = v.object_id
LEFT JOIN edges m ON m.version_id = v.id AND m.role = 'made' LEFT JOIN step_runs ps ON ps.id = m.step_run_id
WHERE v.uid IN (SELECT value FROM json_each(?));

-- name: step_run_names
-- What tells step runs apart, by a list of ids.
SELECT s.uid, r.uid, s.name, s.step, s.status, r.name, r.pipeline
FROM step_runs s JOIN runs r ON r.id = s.run_id WHERE s.uid IN (SELECT value FROM json_each(?));

-- name: consumers
-- The step runs that used a version, oldest first.
SELECT DISTINCT {step_run_columns}
FROM versions v JOIN edges e ON e.version_id = v.id AND e.role = 'used' JOIN step_runs s ON s.id = e.step_run_id
JOIN runs r ON r.id = s.run_id
WHERE v.uid = ? ORDER BY s.id;

-- name: upstream
-- All edges of the step runs that made what a version comes from. Depth grows by the second parameter: by 0 each version is met
-- once however many paths lead to it, which ends in circles too; by 1 the third and fourth parameter bound the depth.
WITH RECURSIVE reach (version_id, depth) AS (
    SELECT id, 0 FROM versions WHERE uid = ?
    UNION
    SELECT e.version_id, reach.depth + ? FROM reach CROSS JOIN edges m CROSS JOIN edges e
    WHERE reach.depth < ? AND m.version_id = reach.version_id AND m.role = 'made'
        AND e.step_run_id = m.step_run_id AND e.role = 'used'
)
SELECT s.uid, e.role, e.name, v.uid
FROM (
    SELECT DISTINCT m.step_run_id AS id FROM reach CROSS JOIN edges m
    WHERE reach.depth < ? AND m.version_id = reach.version_id AND m.role = 'made'
) p CROSS JOIN step_runs s CROSS JOIN edges e CROSS JOIN versions v
WHERE s.id = p.id AND e.step_run_id = p.id AND v.id = e.version_id;

-- name: downstream
-- All edges of the step runs that used a version or what came of it. The parameters are those of `upstream`.
WITH RECURSIVE reach (version_id, depth) AS (
    SELECT id, 0 FROM versions WHERE uid = ?
    UNION
    SELECT e.version_id, reach.depth + ? FROM reach CROSS JOIN edges u CROSS JOIN edges e
    WHERE reach.depth < ? AND u.version_id = reach.version_id AND u.role = 'used'
        AND e.step_run_id = u.step_run_id AND e.role <> 'used'
)
SELECT s.uid, e.role, e.name, v.uid
FROM (
    SELECT DISTINCT u.step_run_id AS id FROM reach CROSS JOIN edges u
    WHERE reach.depth < ? AND u.version_id = reach.version_id AND u.role = 'used'
) p CROSS JOIN step_runs s CROSS JOIN edges e CROSS JOIN versions v
WHERE s.id = p.id AND e.step_run_id = p.id AND v.id = e.version_id;

-- ---------------------------------------------------------------- accounts

-- name: insert_user
-- Add a user whose name is not taken.
INSERT INTO users (name, kind, role, active, created, password) VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING RETURNING id;

-- name: user_columns
u.name, u.kind, u.role, u.active, u.created, u.password

-- name: user_by_name
-- One user, with the row's id last.
SELECT {user_columns}, u.id FROM users u WHERE u.name = ?;

-- name: list_users
-- All users.
SELECT {user_columns} FROM users u ORDER BY u.name;

-- name: count_admins
-- Active people who may do everything, without one of them.
SELECT count(*) FROM users WHERE role = 3 AND active = 1 AND kind = 'person' AND name <> ?;

-- name: update_user
-- Change what can be changed of a user.
UPDATE users SET role = ?, active = ?, password = ? WHERE id = ?;

-- name: delete_user
-- Delete a user; tokens and sessions go along.
DELETE FROM users WHERE id = ?;

-- name: insert_token
-- Add a token of a user.
INSERT INTO tokens (id, user_id, name, role, digest, created, expires) VALUES (?, ?, ?, ?, ?, ?, ?);

-- name: token_columns
t.id, u.name, t.name, t.role, t.digest, t.created, t.expires, t.used, t.revoked

-- name: token_and_user
-- One token by its public id, with its user.
SELECT {token_columns}, {user_columns} FROM tokens t JOIN users u ON u.id = t.user_id WHERE t.id = ?;

-- name: list_tokens
-- All tokens, or those of one user (bound twice), the newest first.
SELECT {token_columns} FROM tokens t JOIN users u ON u.id = t.user_id WHERE (? IS NULL OR u.name = ?) ORDER BY t.created DESC, t.id;

-- name: touch_token
-- Note when a token was used.
UPDATE tokens SET used = ? WHERE id = ?;

-- name: revoke_token
-- End a token.
UPDATE tokens SET revoked = ? WHERE id = ? AND revoked IS NULL RETURNING id;

-- name: insert_session
-- Begin a session.
INSERT INTO sessions (digest, user_id, begun, confirmed, until) VALUES (?, ?, ?, ?, ?);

-- name: session_and_user
-- One session by the digest of its secret, with its user.
SELECT s.digest, u.name, s.begun, s.confirmed, s.until, {user_columns} FROM sessions s JOIN users u ON u.id = s.user_id WHERE s.digest = ?;

-- name: touch_session
-- Let a session last on, and note when its user last gave the password.
UPDATE sessions SET until = ?, confirmed = ? WHERE digest = ?;

-- name: end_session
-- End a session.
DELETE FROM sessions WHERE digest = ?;

-- name: end_sessions_of
-- End all sessions of a user.
DELETE FROM sessions WHERE user_id = ?;

-- name: end_old_sessions
-- Forget sessions that have run out.
DELETE FROM sessions WHERE until <= ?;

-- name: end_surplus_sessions
-- Keep the newest sessions of a user only.
DELETE FROM sessions WHERE user_id = ? AND digest NOT IN (SELECT digest FROM sessions WHERE user_id = ? ORDER BY until DESC LIMIT ?);

-- name: end_old_devices
-- Forget devices that nobody has approved in time.
DELETE FROM devices WHERE until <= ?;

-- name: count_devices
-- How many devices wait.
SELECT count(*) FROM devices;

-- name: insert_device
-- A device begins to wait.
INSERT INTO devices (digest, code, name, begun, until) VALUES (?, ?, ?, ?, ?);

-- name: device_columns
d.digest, d.code, d.name, d.begun, d.until, u.name

-- name: device_by_code
-- The device that shows a code.
SELECT {device_columns} FROM devices d LEFT JOIN users u ON u.id = d.user_id WHERE d.code = ?;

-- name: device_by_digest
-- The device that has a secret.
SELECT {device_columns} FROM devices d LEFT JOIN users u ON u.id = d.user_id WHERE d.digest = ?;

-- name: approve_device
-- Somebody takes a device for his own.
UPDATE devices SET user_id = (SELECT id FROM users WHERE name = ?) WHERE code = ? AND user_id IS NULL AND until > ? RETURNING digest;

-- name: delete_device
-- A device waits no more.
DELETE FROM devices WHERE digest = ? RETURNING digest;

-- name: last_audit
-- The digest of the newest entry.
SELECT digest FROM audit ORDER BY id DESC LIMIT 1;

-- name: insert_audit
-- Add an entry.
INSERT INTO audit (at, who, what, object, details, peer, request, digest) VALUES (?, ?, ?, ?, ?, ?, ?, ?);

-- name: audit_after
-- Entries from one on, in order.
SELECT id, at, who, what, object, details, peer, request, digest FROM audit WHERE id > ? ORDER BY id LIMIT ?;

-- name: audit_where
-- Which entries are asked for: by whom, what, which object (each bound twice, NULL for any).
(? IS NULL OR who = ?) AND (? IS NULL OR what = ?) AND (? IS NULL OR object = ?)

-- name: list_audit
-- Entries, the newest first.
SELECT id, at, who, what, object, details, peer, request, digest FROM audit WHERE {audit_where} ORDER BY id DESC LIMIT ? OFFSET ?;

-- name: count_audit
-- How many entries there are.
SELECT count(*) FROM audit WHERE {audit_where};
