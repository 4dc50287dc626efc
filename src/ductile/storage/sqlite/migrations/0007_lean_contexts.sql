-- A context is what every job adds, so a row of the ledger is kept small: it names its parent by
-- number, and the pipeline is that of its run. The view shows each row as it always looked.

-- Whatever refers to the table goes along with the new name.
ALTER TABLE event_context RENAME TO context;

CREATE TABLE new_context (
    -- The order in which rows came.
    number           INTEGER NOT NULL PRIMARY KEY,
    id               TEXT NOT NULL UNIQUE,
    parent           INTEGER REFERENCES new_context (number),
    run_id           TEXT REFERENCES pipeline_run (id),
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
    -- No row has that number, so that a parent which does not exist is found at the end.
    CASE WHEN context.parent_id IS NOT NULL THEN coalesce(parent.rowid, -1) END,
    context.run_id, context.step_id, context.hop, context.accumulated_json, context.created_at
FROM context LEFT JOIN context AS parent ON parent.id = context.parent_id
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
    (SELECT pipeline_name FROM pipeline_run WHERE id = context.run_id) AS pipeline_name,
    (SELECT pipeline_hash FROM pipeline_run WHERE id = context.run_id) AS pipeline_hash,
    step_id, hop, accumulated_json, created_at
FROM context;
