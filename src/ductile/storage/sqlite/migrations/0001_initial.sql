-- Payloads, baggage and states are JSON texts that the program wrote itself, so the schema does
-- not parse them again. Times are UTC, fixed-width ISO 8601 with microseconds and Z.

CREATE TABLE schema_version (
    version    INTEGER NOT NULL PRIMARY KEY,
    name       TEXT NOT NULL,
    applied_at TEXT NOT NULL
) STRICT;

CREATE TABLE event (
    id         TEXT NOT NULL PRIMARY KEY,
    type       TEXT NOT NULL,
    payload    TEXT NOT NULL,
    source     TEXT NOT NULL,
    created_at TEXT NOT NULL,
    chain_id   TEXT NOT NULL REFERENCES event (id),
    job_id     TEXT REFERENCES job_queue (id),
    dedupe_key TEXT,
    CONSTRAINT an_event_from_outside_starts_its_chain
        CHECK ((job_id IS NULL) = (chain_id = id))
) STRICT;
CREATE INDEX event_chain ON event (chain_id);

CREATE TRIGGER event_is_never_changed BEFORE UPDATE ON event
BEGIN SELECT RAISE (ABORT, 'a row of event is immutable'); END;
CREATE TRIGGER event_is_never_deleted BEFORE DELETE ON event
BEGIN SELECT RAISE (ABORT, 'a row of event is immutable'); END;

CREATE TABLE pipeline_version (
    hash       TEXT NOT NULL PRIMARY KEY,
    name       TEXT NOT NULL,
    definition TEXT NOT NULL,
    created_at TEXT NOT NULL
) STRICT;

CREATE TRIGGER pipeline_version_is_never_changed BEFORE UPDATE ON pipeline_version
BEGIN SELECT RAISE (ABORT, 'a row of pipeline_version is immutable'); END;
CREATE TRIGGER pipeline_version_is_never_deleted BEFORE DELETE ON pipeline_version
BEGIN SELECT RAISE (ABORT, 'a row of pipeline_version is immutable'); END;

CREATE TABLE pipeline_run (
    id            TEXT NOT NULL PRIMARY KEY,
    chain_id      TEXT NOT NULL REFERENCES event (id),
    pipeline_name TEXT NOT NULL,
    pipeline_hash TEXT NOT NULL REFERENCES pipeline_version (hash),
    event_id      TEXT NOT NULL REFERENCES event (id),
    depth         INTEGER NOT NULL CHECK (depth >= 1),
    created_at    TEXT NOT NULL,
    parent_run_id TEXT REFERENCES pipeline_run (id),
    parent_job_id TEXT REFERENCES job_queue (id),
    status        TEXT NOT NULL CHECK (status IN ('running', 'succeeded', 'failed')),
    open_jobs     INTEGER NOT NULL CHECK (open_jobs >= 0),
    completed_at  TEXT,
    reason        TEXT,
    CONSTRAINT a_terminal_run_has_a_completion_time
        CHECK ((status <> 'running') = (completed_at IS NOT NULL)),
    CONSTRAINT a_terminal_run_has_no_open_job
        CHECK (status = 'running' OR open_jobs = 0),
    CONSTRAINT a_failed_run_has_a_reason
        CHECK (status = 'running' OR (status = 'failed') = (reason IS NOT NULL))
) STRICT;
CREATE INDEX pipeline_run_chain ON pipeline_run (chain_id);

CREATE TABLE event_context (
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
) STRICT;
CREATE INDEX event_context_parent ON event_context (parent_id) WHERE parent_id IS NOT NULL;

CREATE TRIGGER event_context_is_never_changed BEFORE UPDATE ON event_context
BEGIN SELECT RAISE (ABORT, 'a row of event_context is immutable'); END;
CREATE TRIGGER event_context_is_never_deleted BEFORE DELETE ON event_context
BEGIN SELECT RAISE (ABORT, 'a row of event_context is immutable'); END;

CREATE TABLE job_queue (
    id               TEXT NOT NULL PRIMARY KEY,
    chain_id         TEXT NOT NULL REFERENCES event (id),
    plugin           TEXT NOT NULL,
    command          TEXT NOT NULL,
    event_context_id TEXT NOT NULL REFERENCES event_context (id),
    source_event_id  TEXT NOT NULL REFERENCES event (id),
    submitted_by     TEXT NOT NULL,
    created_at       TEXT NOT NULL,
    max_attempts     INTEGER NOT NULL CHECK (max_attempts >= 1),
    run_id           TEXT REFERENCES pipeline_run (id),
    step_id          TEXT,
    parent_job_id    TEXT REFERENCES job_queue (id),
    workspace        TEXT NOT NULL CHECK (workspace IN ('clone', 'copy', 'empty')),
    dedupe_key       TEXT,
    status           TEXT NOT NULL CHECK (
        status IN ('queued', 'running', 'succeeded', 'failed', 'timed_out', 'cancelled')
    ),
    attempt          INTEGER NOT NULL,
    interruptions    INTEGER NOT NULL,
    claimed_by       TEXT,
    lease_expires_at TEXT,
    started_at       TEXT,
    completed_at     TEXT,
    next_retry_at    TEXT,
    last_error       TEXT,
    result_context_id TEXT REFERENCES event_context (id),
    CONSTRAINT only_a_success_has_a_result
        CHECK (status = 'succeeded' OR result_context_id IS NULL),
    CONSTRAINT a_terminal_job_has_a_completion_time
        CHECK ((status NOT IN ('queued', 'running')) = (completed_at IS NOT NULL)),
    CONSTRAINT a_running_job_is_claimed
        CHECK ((status = 'running') = (claimed_by IS NOT NULL)),
    CONSTRAINT a_running_job_has_a_lease
        CHECK ((status = 'running') = (lease_expires_at IS NOT NULL)),
    CONSTRAINT a_running_job_was_started
        CHECK (status <> 'running' OR (started_at IS NOT NULL AND attempt >= 1)),
    CONSTRAINT only_a_queued_job_waits
        CHECK (status = 'queued' OR next_retry_at IS NULL),
    CONSTRAINT interruptions_are_attempts
        CHECK (interruptions BETWEEN 0 AND attempt)
) STRICT;

-- One child per event, run, step and parent. Nulls count as equal here, which a plain unique
-- index would not do; the event comes first, so that new entries go to the end.
CREATE UNIQUE INDEX job_queue_child ON job_queue (
    source_event_id, coalesce(run_id, ''), coalesce(step_id, ''), coalesce(parent_job_id, '')
);
CREATE INDEX job_queue_chain ON job_queue (chain_id);
-- What is ready and what waits, each by plugin, so that a claim passes over a plugin at its limit
-- without reading its jobs; the last column of the first is always null, and there only so that
-- the index alone answers. No index holds the status of finished jobs: the planner would take it.
CREATE INDEX job_queue_ready ON job_queue (plugin, created_at, id, next_retry_at)
    WHERE status = 'queued' AND next_retry_at IS NULL;
CREATE INDEX job_queue_waiting ON job_queue (plugin, next_retry_at, id)
    WHERE status = 'queued' AND next_retry_at IS NOT NULL;
CREATE INDEX job_queue_running ON job_queue (plugin) WHERE status = 'running';
-- For those who look for what went wrong; jobs that succeed never touch it.
CREATE INDEX job_queue_unsuccessful ON job_queue (status, id)
    WHERE status IN ('failed', 'timed_out', 'cancelled');

CREATE TABLE job_log (
    job_id       TEXT NOT NULL REFERENCES job_queue (id),
    attempt      INTEGER NOT NULL CHECK (attempt >= 1),
    status       TEXT NOT NULL CHECK (
        status IN ('succeeded', 'failed', 'timed_out', 'crashed', 'interrupted')
    ),
    started_at   TEXT NOT NULL,
    completed_at TEXT NOT NULL,
    exit_code    INTEGER,
    error        TEXT,
    result       TEXT,
    logs         TEXT NOT NULL,
    stderr       TEXT NOT NULL,
    PRIMARY KEY (job_id, attempt)
) STRICT;

CREATE TABLE artifact (
    job_id     TEXT NOT NULL REFERENCES job_queue (id),
    -- Text; bytes only where a file name is not UTF-8.
    path       ANY NOT NULL CHECK (typeof(path) IN ('text', 'blob')),
    change     TEXT NOT NULL CHECK (change IN ('added', 'replaced', 'removed')),
    size       INTEGER NOT NULL CHECK (size >= 0),
    mode       INTEGER NOT NULL,
    blake3     TEXT,
    mtime_ns   INTEGER NOT NULL,
    symlink    INTEGER NOT NULL CHECK (symlink IN (0, 1)),
    tainted_by TEXT REFERENCES job_queue (id),
    PRIMARY KEY (job_id, path),
    CONSTRAINT what_is_there_has_a_hash
        CHECK ((change = 'removed') = (blake3 IS NULL)),
    CONSTRAINT a_path_is_relative
        CHECK (substr(path, 1, 1) <> CASE typeof(path) WHEN 'blob' THEN x'2f' ELSE '/' END)
) STRICT;

CREATE TABLE plugin_state (
    plugin     TEXT NOT NULL PRIMARY KEY,
    state      TEXT NOT NULL,
    updated_at TEXT NOT NULL
) STRICT;
