-- Rows of event and event_context are in the order of their ids, which is that in which they came:
-- a second copy of each id, beside the table, goes. Foreign keys are off while this runs and are
-- checked at its end.
CREATE TABLE new_event (
    id         TEXT NOT NULL PRIMARY KEY,
    type       TEXT NOT NULL,
    payload    TEXT NOT NULL,
    source     TEXT NOT NULL,
    created_at TEXT NOT NULL,
    chain_id   TEXT NOT NULL REFERENCES event (id),
    job_id     TEXT REFERENCES job_queue (id),
    dedupe_key TEXT,
    CONSTRAINT an_event_from_outside_starts_its_chain CHECK (
        (job_id IS NULL) = (chain_id = id) OR (job_id IS NULL AND type GLOB 'ductile.*')
    )
) STRICT, WITHOUT ROWID;
INSERT INTO new_event SELECT * FROM event ORDER BY id;
DROP TABLE event;
ALTER TABLE new_event RENAME TO event;
CREATE INDEX event_chain ON event (chain_id);

CREATE TRIGGER event_is_never_changed BEFORE UPDATE ON event
BEGIN SELECT RAISE (ABORT, 'a row of event is immutable'); END;
CREATE TRIGGER event_is_never_deleted BEFORE DELETE ON event
BEGIN SELECT RAISE (ABORT, 'a row of event is immutable'); END;

CREATE TABLE new_event_context (
    id               TEXT NOT NULL PRIMARY KEY,
    parent_id        TEXT REFERENCES event_context (id),
    run_id           TEXT REFERENCES pipeline_run (id),
    pipeline_name    TEXT,
    pipeline_hash    TEXT REFERENCES pipeline_version (hash),
    step_id          TEXT,
    hop              INTEGER NOT NULL,
    accumulated_json TEXT NOT NULL,
    created_at       TEXT NOT NULL,
    CONSTRAINT a_root_is_hop_0
        CHECK (hop >= 0 AND (parent_id IS NULL) = (hop = 0))
) STRICT, WITHOUT ROWID;
INSERT INTO new_event_context SELECT * FROM event_context ORDER BY id;
DROP TABLE event_context;
ALTER TABLE new_event_context RENAME TO event_context;
-- What a job wrote is found by the job. All else that grows is: the first row of a run, what a join
-- made, and what the handlers of a run begin with.
CREATE INDEX event_context_without_job ON event_context (parent_id)
    WHERE parent_id IS NOT NULL
    AND (step_id IS NULL OR step_id GLOB '*:join' OR step_id IN ('on_failure', 'finally'));

CREATE TRIGGER event_context_is_never_changed BEFORE UPDATE ON event_context
BEGIN SELECT RAISE (ABORT, 'a row of event_context is immutable'); END;
CREATE TRIGGER event_context_is_never_deleted BEFORE DELETE ON event_context
BEGIN SELECT RAISE (ABORT, 'a row of event_context is immutable'); END;
