-- Where a list goes on before a job or run, 'g' stands for no limit: ids are of the digits 0 to f.
-- CROSS JOIN keeps the order as written; left alone, the planner may read a whole table instead.

-- name: jobs
-- Jobs, newest first, whatever they came to.
SELECT * FROM job_queue
WHERE id < coalesce(:before, 'g') AND (:plugin IS NULL OR plugin = :plugin)
    AND (:status IS NULL OR status = :status)
ORDER BY id DESC LIMIT :limit;

-- name: queued_jobs
-- Queued jobs, newest first; reads what is queued, not what is finished.
SELECT * FROM (
    SELECT * FROM job_queue INDEXED BY job_queue_ready
    WHERE status = 'queued' AND next_retry_at IS NULL
    UNION ALL
    SELECT * FROM job_queue INDEXED BY job_queue_waiting
    WHERE status = 'queued' AND next_retry_at IS NOT NULL
)
WHERE id < coalesce(:before, 'g') AND (:plugin IS NULL OR plugin = :plugin)
ORDER BY id DESC LIMIT :limit;

-- name: running_jobs
-- Running jobs, newest first; reads what is running, not what is finished.
SELECT * FROM job_queue INDEXED BY job_queue_running
WHERE status = 'running' AND id < coalesce(:before, 'g')
    AND (:plugin IS NULL OR plugin = :plugin)
ORDER BY id DESC LIMIT :limit;

-- name: unsuccessful_jobs
-- Jobs that ended badly in one way, newest first; reads none that succeeded.
SELECT * FROM job_queue
WHERE completed_at IS NOT NULL AND status <> 'succeeded' AND status = :status
    AND id < coalesce(:before, 'g') AND (:plugin IS NULL OR plugin = :plugin)
ORDER BY id DESC LIMIT :limit;

-- name: runs
-- Runs, newest first.
SELECT * FROM pipeline_run
WHERE id < coalesce(:before, 'g') AND (:status IS NULL OR status = :status)
    AND (:pipeline IS NULL OR pipeline_name = :pipeline)
ORDER BY id DESC LIMIT :limit;

-- name: chains
-- The events that started chains, newest first.
SELECT id FROM event
WHERE chain_id = id AND id < coalesce(:before, 'g')
ORDER BY id DESC LIMIT :limit;

-- name: chain_events
-- The events of a chain, as they came.
SELECT * FROM event WHERE chain_id = :chain_id ORDER BY rowid;

-- name: chain_runs
-- The runs of a chain, as they came.
SELECT * FROM pipeline_run WHERE chain_id = :chain_id ORDER BY rowid;

-- name: chain_jobs
-- The jobs of a chain, as they came.
SELECT job_queue.*
FROM event CROSS JOIN job_queue ON job_queue.source_event_id = event.id
WHERE event.chain_id = :chain_id ORDER BY job_queue.rowid;

-- name: chain_contexts
-- What the jobs of a chain read, what it grew from and all that grew from it, as it came.
WITH RECURSIVE grown (number, id) AS (
    SELECT context.number, context.id
    FROM event CROSS JOIN job_queue ON job_queue.source_event_id = event.id
    CROSS JOIN context ON context.id = job_queue.event_context_id
    WHERE event.chain_id = :chain_id
    UNION
    SELECT child.number, child.id
    FROM grown CROSS JOIN context AS child ON child.parent = grown.number
    UNION
    SELECT parent.number, parent.id
    FROM grown CROSS JOIN context ON context.number = grown.number
    CROSS JOIN context AS parent ON parent.number = context.parent
)
SELECT id, parent_id, run_id, pipeline_hash, step_id, hop, accumulated_json, created_at
FROM grown CROSS JOIN event_context USING (id)
ORDER BY grown.number;

-- name: chain_attempts
-- The attempts of a chain, as they ended.
SELECT job_log.*
FROM event CROSS JOIN job_queue ON job_queue.source_event_id = event.id
CROSS JOIN job_log ON job_log.job_id = job_queue.id
WHERE event.chain_id = :chain_id
ORDER BY job_log.completed_at, job_log.job_id, job_log.attempt;

-- name: chain_artifacts
-- The changes that the jobs of a chain made.
SELECT artifact.*
FROM event CROSS JOIN job_queue ON job_queue.source_event_id = event.id
CROSS JOIN artifact ON artifact.job_id = job_queue.id
WHERE event.chain_id = :chain_id ORDER BY job_queue.rowid;

-- name: chain_skips
-- What the runs of a chain passed by, as it came.
SELECT run_skip.* FROM pipeline_run CROSS JOIN run_skip ON run_skip.run_id = pipeline_run.id
WHERE pipeline_run.chain_id = :chain_id ORDER BY run_skip.number;

-- name: chain_arrivals
-- What came to the joins of a chain, as it came.
SELECT join_arrival.*
FROM pipeline_run CROSS JOIN join_arrival ON join_arrival.run_id = pipeline_run.id
WHERE pipeline_run.chain_id = :chain_id ORDER BY join_arrival.number;

-- name: chain_ends
-- For each of these jobs, how far its chain is.
WITH wanted AS (
    SELECT id, chain_id FROM job_queue WHERE id IN (SELECT value FROM json_each(:ids))
),
ends AS MATERIALIZED (
    SELECT
        chain.chain_id,
        (
            SELECT count(*)
            FROM event CROSS JOIN job_queue ON job_queue.source_event_id = event.id
            WHERE event.chain_id = chain.chain_id AND job_queue.completed_at IS NULL
        ) AS open_jobs,
        (
            SELECT max(job_log.completed_at)
            FROM event CROSS JOIN job_queue ON job_queue.source_event_id = event.id
            CROSS JOIN job_log ON job_log.job_id = job_queue.id
            WHERE event.chain_id = chain.chain_id
        ) AS last_completed_at
    FROM (SELECT DISTINCT chain_id FROM wanted) AS chain
)
SELECT wanted.id, ends.chain_id, ends.open_jobs, ends.last_completed_at
FROM wanted JOIN ends USING (chain_id);

-- name: waiting
-- How many jobs are queued, read no further than to a number.
SELECT count(*) FROM (
    SELECT 1 FROM (
        SELECT 1 FROM job_queue INDEXED BY job_queue_ready
        WHERE status = 'queued' AND next_retry_at IS NULL
        UNION ALL
        SELECT 1 FROM job_queue INDEXED BY job_queue_waiting
        WHERE status = 'queued' AND next_retry_at IS NOT NULL
    ) LIMIT :up_to
);

-- name: counts
-- How many jobs are queued and running.
SELECT
    (SELECT count(*) FROM job_queue WHERE status = 'queued' AND next_retry_at IS NULL)
    + (SELECT count(*) FROM job_queue WHERE status = 'queued' AND next_retry_at IS NOT NULL),
    (SELECT count(*) FROM job_queue WHERE status = 'running');
