-- A context is what every job adds, so a row of the ledger is kept small: it names its parent and
-- its pipeline version by number. The view shows each row as it always looked.

CREATE TABLE new_pipeline_version (
    number     INTEGER NOT NULL PRIMARY KEY,
    hash       TEXT NOT NULL UNIQUE,
    name       TEXT NOT NULL,
    definition TEXT NOT NULL,
    created_at TEXT NOT NULL
) STRICT;
INSERT INTO new_pipeline_version
SELECT rowid, hash, name, definition, created_at FROM pipeline_version ORDER BY rowid;
DROP TABLE pipeline_version;
ALTER TABLE new_pipeline_version RENAME TO pipeline_version;

CREATE TRIGGER pipeline_version_is_never_changed BEFORE UPDATE ON pipeline_version
BEGIN SELECT RAISE (ABORT, 'a row of pipeline_version is immutable'); END;
CREATE TRIGGER pipeline_version_is_never_deleted BEFORE DELETE ON pipeline_version
BEGIN SELECT RAISE (ABORT, 'a row of pipeline_version is immutable'); END;

-- Whatever refers to the table goes along with the new name.
ALTER TABLE event_context RENAME TO context;

CREATE TABLE new_context (
    -- The order in which rows came.
    number           INTEGER NOT NULL PRIMARY KEY,
    id               TEXT NOT NULL UNIQUE,
    parent           INTEGER REFERENCES new_context (number),
    run_id           TEXT REFERENCES pipeline_run (id),
    version          INTEGER REFERENCES pipeline_version (number),
    step_id          TEXT,
    hop              INTEGER NOT NULL,
    accumulated_json TEXT NOT NULL,
    created_at       TEXT NOT NULL,
    CONSTRAINT a_root_is_hop_0
        CHECK (hop >= 0 AND (parent IS NULL) = (hop = 0))
) STRICT;
INSERT INTO new_context
SELECT
    context.rowid, context.id,
    -- No row has that number, so that what does not exist is found at the end.
    CASE WHEN context.parent_id IS NOT NULL THEN coalesce(parent.rowid, -1) END,
    context.run_id,
    CASE WHEN context.pipeline_hash IS NOT NULL THEN coalesce(version.number, -1) END,
    context.step_id, context.hop, context.accumulated_json, context.created_at
FROM context
LEFT JOIN context AS parent ON parent.id = context.parent_id
LEFT JOIN pipeline_version AS version ON version.hash = context.pipeline_hash
ORDER BY context.rowid;
DROP TABLE context;
ALTER TABLE new_context RENAME TO context;

CREATE INDEX context_parent ON context (parent) WHERE parent IS NOT NULL;

CREATE TRIGGER context_is_never_changed BEFORE UPDATE ON context
BEGIN SELECT RAISE (ABORT, 'a row of context is immutable'); END;
CREATE TRIGGER context_is_never_deleted BEFORE DELETE ON context
BEGIN SELECT RAISE (ABORT, 'a row of context is immutable'); END;

CREATE VIEW event_context AS
SELECT
    id,
    (SELECT parent.id FROM context AS parent WHERE parent.number = context.parent) AS parent_id,
    run_id,
    (SELECT name FROM pipeline_version WHERE number = context.version) AS pipeline_name,
    (SELECT hash FROM pipeline_version WHERE number = context.version) AS pipeline_hash,
    step_id, hop, accumulated_json, created_at
FROM context;
