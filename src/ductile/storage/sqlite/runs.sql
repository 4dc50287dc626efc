-- CROSS JOIN keeps the order as written; left alone, the planner may read a whole table instead.

-- name: add
-- Write one run.
INSERT INTO pipeline_run (
    id, chain_id, pipeline_name, pipeline_hash, event_id, depth, created_at, parent_run_id,
    parent_job_id, status, open_jobs, completed_at, reason
) VALUES (
    :id, :chain_id, :pipeline_name, :pipeline_hash, :event_id, :depth, :created_at,
    :parent_run_id, :parent_job_id, :status, :open_jobs, :completed_at, :reason
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

-- name: advance
-- Count a running run's open jobs, keep its first failure, and end it when no job is open.
UPDATE pipeline_run SET
    open_jobs = open_jobs + :by,
    reason = coalesce(reason, :failure),
    status = CASE
        WHEN open_jobs + :by <> 0 THEN 'running'
        WHEN coalesce(reason, :failure) IS NULL THEN 'succeeded'
        ELSE 'failed'
    END,
    completed_at = CASE WHEN open_jobs + :by = 0 THEN :now END
WHERE id = :run_id AND status = 'running'
RETURNING *;

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
