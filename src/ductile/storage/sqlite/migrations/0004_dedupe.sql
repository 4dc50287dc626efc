-- What was let in under a key, for as long as it is not to be let in again. The digest stands for
-- scope and key, so that a row is small whatever the length of these. The ids are those that the
-- first sender got as its answer, as JSON: `{"job_ids": [...], "run_ids": [...]}`.
CREATE TABLE dedupe (
    digest     BLOB NOT NULL PRIMARY KEY CHECK (length(digest) = 16),
    event_id   TEXT NOT NULL REFERENCES event (id),
    started    TEXT NOT NULL,
    expires_at TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX dedupe_expiry ON dedupe (expires_at);
