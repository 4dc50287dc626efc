-- CROSS JOIN keeps the order as written; left alone, the planner may read a whole table instead.

-- name: add
-- Write one run.
INSERT INTO pipeline_run (
    id, chain_id, pipeline_name, pipeline_hash, event_id, depth, created_at, parent_run_id,
    parent_job_id, status, open_jobs, completed_at, reason, phase, failure, deadline_at, ending
) VALUES (
    :id, :chain_id, :pipeline_name, :pipeline_hash, :event_id, :depth, :created_at,
    :parent_run_id, :parent_job_id, :status, :open_jobs, :completed_at, :reason, :phase,
    :failure, :deadline_at, :ending
);

-- name: missing
-- Which rows that a refused run refers to do not exist.
SELECT 'event ' || :chain_id
WHERE NOT EXISTS (SELECT 1 FROM event WHERE id = :chain_id)
UNION
SELECT 'event ' || :event_id
WHERE NOT EXISTS (SELECT 1 FROM event WHERE id = :event_id)
UNION
SELECT 'pipeline version ' || :pipeline_hash
WHERE NOT EXISTS (SELECT 1 FROM pipeline_version WHERE hash = :pipeline_hash)
UNION
SELECT 'parent run ' || :parent_run_id
WHERE :parent_run_id IS NOT NULL
    AND NOT EXISTS (SELECT 1 FROM pipeline_run WHERE id = :parent_run_id)
UNION
SELECT 'parent job ' || :parent_job_id
WHERE :parent_job_id IS NOT NULL
    AND NOT EXISTS (SELECT 1 FROM job_queue WHERE id = :parent_job_id);

-- name: get
-- One run.
SELECT * FROM pipeline_run WHERE id = :run_id;

-- name: ending
-- A run that was told to end before its time.
SELECT * FROM pipeline_run WHERE id = :run_id AND ending IS NOT NULL;

-- name: advance
-- Count a running run's open jobs and keep its first failure.
UPDATE pipeline_run SET open_jobs = open_jobs + :by, failure = coalesce(failure, :failure)
WHERE id = :run_id AND status = 'running'
RETURNING *;

-- name: move
-- Note the phase of a running run.
UPDATE pipeline_run SET phase = :phase WHERE id = :run_id AND status = 'running';

-- name: finish
-- Make a running run terminal; one with open jobs breaks a rule.
UPDATE pipeline_run SET status = :status, completed_at = :now, reason = :reason
WHERE id = :run_id AND status = 'running'
RETURNING *;

-- name: end
-- Note what a running run is to come to; the first word counts.
UPDATE pipeline_run SET
    reason = CASE WHEN ending IS NULL THEN :reason ELSE reason END,
    ending = coalesce(ending, :ending)
WHERE id = :run_id AND status = 'running'
RETURNING *;

-- name: stopping
-- Running jobs whose run is being ended; what `finally` does is let be.
SELECT job.id FROM job_queue AS job CROSS JOIN pipeline_run AS run ON run.id = job.run_id
WHERE job.status = 'running' AND run.ending IS NOT NULL AND run.phase <> 'finally';

-- name: overdue
-- Running runs whose deadline has passed and that are not being ended, the earliest first.
SELECT * FROM pipeline_run
WHERE status = 'running' AND ending IS NULL
    AND deadline_at IS NOT NULL AND deadline_at <= :now
ORDER BY deadline_at;

-- name: path
-- A run and those that led to it, outermost first.
WITH RECURSIVE line (id, parent_run_id, depth) AS (
    SELECT id, parent_run_id, depth FROM pipeline_run WHERE id = :run_id
    UNION ALL
    SELECT parent.id, parent.parent_run_id, parent.depth
    FROM line CROSS JOIN pipeline_run AS parent ON parent.id = line.parent_run_id
)
SELECT pipeline_run.*
FROM line CROSS JOIN pipeline_run ON pipeline_run.id = line.id
ORDER BY line.depth;
