-- What every job adds to is kept small: fewer indexes to write at each commit, and no second copy
-- of a key where the key is most of the row. Foreign keys are off while this runs and are checked
-- at its end.

-- The jobs of a chain are those of its events.
DROP INDEX job_queue_chain;
-- One job per event, run and step: an event has one job that emitted it, which is its parent.
-- Nulls count as equal here, which a plain unique index would not do; the event comes first, so
-- that new entries go to the end.
DROP INDEX job_queue_child;
CREATE UNIQUE INDEX job_queue_child ON job_queue (
    source_event_id, coalesce(run_id, ''), coalesce(step_id, '')
);

CREATE TABLE new_job_log (
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
) STRICT, WITHOUT ROWID;
INSERT INTO new_job_log SELECT * FROM job_log ORDER BY job_id, attempt;
DROP TABLE job_log;
ALTER TABLE new_job_log RENAME TO job_log;

CREATE TABLE new_artifact (
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
) STRICT, WITHOUT ROWID;
INSERT INTO new_artifact SELECT * FROM artifact ORDER BY job_id, path;
DROP TABLE artifact;
ALTER TABLE new_artifact RENAME TO artifact;
