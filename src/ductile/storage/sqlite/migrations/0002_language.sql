-- SQLite cannot change the constraints of a table, so `pipeline_run` and `event` are made anew,
-- in the order of their rows. Foreign keys are off while this runs and are checked at its end.

-- Runs end in more ways, go through phases, and have a deadline.
CREATE TABLE new_pipeline_run (
    id            TEXT NOT NULL PRIMARY KEY,
    chain_id      TEXT NOT NULL REFERENCES event (id),
    pipeline_name TEXT NOT NULL,
    pipeline_hash TEXT NOT NULL REFERENCES pipeline_version (hash),
    event_id      TEXT NOT NULL REFERENCES event (id),
    depth         INTEGER NOT NULL CHECK (depth >= 1),
    created_at    TEXT NOT NULL,
    parent_run_id TEXT REFERENCES pipeline_run (id),
    parent_job_id TEXT REFERENCES job_queue (id),
    status        TEXT NOT NULL CHECK (
        status IN ('running', 'succeeded', 'failed', 'timed_out', 'cancelled')
    ),
    open_jobs     INTEGER NOT NULL CHECK (open_jobs >= 0),
    completed_at  TEXT,
    reason        TEXT,
    phase         TEXT NOT NULL CHECK (phase IN ('main', 'on_failure', 'finally')),
    failure       TEXT,
    deadline_at   TEXT,
    -- What a run that is being ended will have come to when its last job is over.
    ending        TEXT CHECK (ending IN ('timed_out', 'cancelled')),
    CONSTRAINT a_terminal_run_has_a_completion_time
        CHECK ((status <> 'running') = (completed_at IS NOT NULL)),
    CONSTRAINT a_terminal_run_has_no_open_job
        CHECK (status = 'running' OR open_jobs = 0),
    CONSTRAINT a_run_that_did_not_succeed_has_a_reason
        CHECK (status = 'running' OR (status = 'succeeded') = (reason IS NULL))
) STRICT;

-- Until now a run remembered its first failure as a sentence; the job that failed knows the rest.
INSERT INTO new_pipeline_run
SELECT
    id, chain_id, pipeline_name, pipeline_hash, event_id, depth, created_at, parent_run_id,
    parent_job_id, status, open_jobs, completed_at, reason, 'main',
    CASE WHEN reason IS NOT NULL THEN (
        SELECT json_object(
            'pipeline', run.pipeline_name, 'step', job.step_id, 'job_id', job.id,
            'plugin', job.plugin, 'error', coalesce(job.last_error, run.reason),
            'attempts', job.attempt - job.interruptions
        )
        FROM job_queue AS job
        WHERE job.chain_id = run.chain_id AND job.run_id = run.id
            AND job.status IN ('failed', 'timed_out', 'cancelled')
        ORDER BY job.completed_at, job.rowid LIMIT 1
    ) END,
    NULL, NULL
FROM pipeline_run AS run ORDER BY rowid;

DROP TABLE pipeline_run;
ALTER TABLE new_pipeline_run RENAME TO pipeline_run;
CREATE INDEX pipeline_run_chain ON pipeline_run (chain_id);
CREATE INDEX pipeline_run_deadline ON pipeline_run (deadline_at)
    WHERE status = 'running' AND ending IS NULL AND deadline_at IS NOT NULL;

-- The core's own events come from no job where a run or a join has none before it.
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
) STRICT;
INSERT INTO new_event SELECT * FROM event ORDER BY rowid;
DROP TABLE event;
ALTER TABLE new_event RENAME TO event;
CREATE INDEX event_chain ON event (chain_id);

CREATE TRIGGER event_is_never_changed BEFORE UPDATE ON event
BEGIN SELECT RAISE (ABORT, 'a row of event is immutable'); END;
CREATE TRIGGER event_is_never_deleted BEFORE DELETE ON event
BEGIN SELECT RAISE (ABORT, 'a row of event is immutable'); END;

ALTER TABLE job_queue ADD COLUMN join_id TEXT
    CONSTRAINT a_job_behind_a_join_is_part_of_a_run
        CHECK (join_id IS NULL OR run_id IS NOT NULL);
-- What a run's joins wait for, and what keeps them waiting; jobs that succeeded are in neither.
CREATE INDEX job_queue_open_in_run ON job_queue (run_id)
    WHERE status IN ('queued', 'running');
CREATE INDEX job_queue_unsuccessful_in_run ON job_queue (run_id)
    WHERE status IN ('failed', 'timed_out', 'cancelled');

CREATE TABLE run_skip (
    number        INTEGER NOT NULL PRIMARY KEY,
    run_id        TEXT NOT NULL REFERENCES pipeline_run (id),
    step_id       TEXT NOT NULL,
    parent_job_id TEXT REFERENCES job_queue (id),
    event_id      TEXT NOT NULL REFERENCES event (id),
    reason        TEXT NOT NULL,
    created_at    TEXT NOT NULL
) STRICT;
CREATE INDEX run_skip_run ON run_skip (run_id);

CREATE TRIGGER run_skip_is_never_changed BEFORE UPDATE ON run_skip
BEGIN SELECT RAISE (ABORT, 'a row of run_skip is immutable'); END;
CREATE TRIGGER run_skip_is_never_deleted BEFORE DELETE ON run_skip
BEGIN SELECT RAISE (ABORT, 'a row of run_skip is immutable'); END;

CREATE TABLE join_arrival (
    -- The order in which things came.
    number     INTEGER NOT NULL PRIMARY KEY,
    run_id     TEXT NOT NULL REFERENCES pipeline_run (id),
    join_id    TEXT NOT NULL,
    -- The order in which the join merges.
    position   INTEGER NOT NULL CHECK (position >= 0),
    source     TEXT NOT NULL,
    event_id   TEXT NOT NULL REFERENCES event (id),
    context_id TEXT NOT NULL REFERENCES event_context (id),
    job_id     TEXT REFERENCES job_queue (id),
    created_at TEXT NOT NULL
) STRICT;
CREATE INDEX join_arrival_join ON join_arrival (run_id, join_id, position);

CREATE TABLE join_passed (
    run_id    TEXT NOT NULL REFERENCES pipeline_run (id),
    join_id   TEXT NOT NULL,
    passed_at TEXT NOT NULL,
    PRIMARY KEY (run_id, join_id)
) STRICT;

CREATE TRIGGER join_arrival_comes_before_the_join_goes_on BEFORE INSERT ON join_arrival
WHEN EXISTS (SELECT 1 FROM join_passed WHERE run_id = NEW.run_id AND join_id = NEW.join_id)
BEGIN SELECT RAISE (ABORT, 'the join has gone on already'); END;
CREATE TRIGGER join_arrival_is_never_changed BEFORE UPDATE ON join_arrival
BEGIN SELECT RAISE (ABORT, 'a row of join_arrival is immutable'); END;
CREATE TRIGGER join_arrival_is_never_deleted BEFORE DELETE ON join_arrival
BEGIN SELECT RAISE (ABORT, 'a row of join_arrival is immutable'); END;
CREATE TRIGGER join_passed_is_never_changed BEFORE UPDATE ON join_passed
BEGIN SELECT RAISE (ABORT, 'a row of join_passed is immutable'); END;
CREATE TRIGGER join_passed_is_never_deleted BEFORE DELETE ON join_passed
BEGIN SELECT RAISE (ABORT, 'a row of join_passed is immutable'); END;
