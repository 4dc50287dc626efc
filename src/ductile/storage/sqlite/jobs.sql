-- name: add
-- Put one job on the list.
INSERT INTO job_queue (
    id, chain_id, plugin, command, event_context_id, source_event_id, submitted_by, created_at,
    max_attempts, run_id, step_id, parent_job_id, join_id, workspace, dedupe_key, status, attempt,
    interruptions
) VALUES (
    :id, :chain_id, :plugin, :command, :event_context_id, :source_event_id, :submitted_by,
    :created_at, :max_attempts, :run_id, :step_id, :parent_job_id, :join_id, :workspace,
    :dedupe_key, 'queued', 0, 0
);

-- name: missing
-- Which rows that a refused job refers to do not exist.
SELECT 'event ' || :chain_id
WHERE NOT EXISTS (SELECT 1 FROM event WHERE id = :chain_id)
UNION
SELECT 'event ' || :source_event_id
WHERE NOT EXISTS (SELECT 1 FROM event WHERE id = :source_event_id)
UNION
SELECT 'context ' || :event_context_id
WHERE NOT EXISTS (SELECT 1 FROM event_context WHERE id = :event_context_id)
UNION
SELECT 'run ' || :run_id
WHERE :run_id IS NOT NULL AND NOT EXISTS (SELECT 1 FROM pipeline_run WHERE id = :run_id)
UNION
SELECT 'parent job ' || :parent_job_id
WHERE :parent_job_id IS NOT NULL
    AND NOT EXISTS (SELECT 1 FROM job_queue WHERE id = :parent_job_id);

-- name: heads
-- Of every plugin the oldest job that never waited, and the first of those that have waited long
-- enough, by the time since when: a few index seeks per plugin, however many jobs each has.
WITH RECURSIVE
ready (plugin) AS (
    SELECT min(plugin) FROM job_queue
    WHERE status = 'queued' AND next_retry_at IS NULL
    UNION ALL
    SELECT (
        SELECT min(plugin) FROM job_queue
        WHERE status = 'queued' AND next_retry_at IS NULL AND plugin > ready.plugin
    ) FROM ready WHERE plugin IS NOT NULL
),
waiting (plugin) AS (
    SELECT min(plugin) FROM job_queue
    WHERE status = 'queued' AND next_retry_at IS NOT NULL
    UNION ALL
    SELECT (
        SELECT min(plugin) FROM job_queue
        WHERE status = 'queued' AND next_retry_at IS NOT NULL AND plugin > waiting.plugin
    ) FROM waiting WHERE plugin IS NOT NULL
),
due (plugin, since) AS (
    SELECT plugin, (
        SELECT min(next_retry_at) FROM job_queue
        WHERE status = 'queued' AND next_retry_at IS NOT NULL AND plugin = waiting.plugin
    ) FROM waiting WHERE plugin IS NOT NULL
)
SELECT
    plugin,
    (
        SELECT created_at FROM job_queue
        WHERE status = 'queued' AND next_retry_at IS NULL AND plugin = ready.plugin
        ORDER BY created_at, id LIMIT 1
    ),
    (
        SELECT id FROM job_queue
        WHERE status = 'queued' AND next_retry_at IS NULL AND plugin = ready.plugin
        ORDER BY created_at, id LIMIT 1
    )
FROM ready WHERE plugin IS NOT NULL
UNION ALL
SELECT
    plugin,
    since,
    (
        SELECT id FROM job_queue
        WHERE status = 'queued' AND next_retry_at IS NOT NULL AND plugin = due.plugin
        ORDER BY next_retry_at, id LIMIT 1
    )
FROM due WHERE since <= :now;

-- name: waiting_plugins
-- Plugins with jobs that wait for their next attempt, and when the first of each is due.
WITH RECURSIVE seek (plugin) AS (
    SELECT min(plugin) FROM job_queue
    WHERE status = 'queued' AND next_retry_at IS NOT NULL
    UNION ALL
    SELECT (
        SELECT min(plugin) FROM job_queue
        WHERE status = 'queued' AND next_retry_at IS NOT NULL AND plugin > seek.plugin
    ) FROM seek WHERE plugin IS NOT NULL
)
SELECT plugin, (
    SELECT min(next_retry_at) FROM job_queue
    WHERE status = 'queued' AND next_retry_at IS NOT NULL AND plugin = seek.plugin
) FROM seek WHERE plugin IS NOT NULL;

-- name: running_by_plugin
-- How many jobs each plugin runs.
SELECT plugin, count(*) FROM job_queue WHERE status = 'running' GROUP BY plugin;

-- name: ready_of_plugin
-- The oldest jobs of one plugin that never waited.
SELECT created_at, id FROM job_queue
WHERE status = 'queued' AND next_retry_at IS NULL AND plugin = :plugin
ORDER BY created_at, id LIMIT :limit;

-- name: due_of_plugin
-- The jobs of one plugin that have waited long enough, by the time since when.
SELECT next_retry_at, id FROM job_queue
WHERE status = 'queued' AND next_retry_at IS NOT NULL AND plugin = :plugin
    AND next_retry_at <= :now
ORDER BY next_retry_at, id LIMIT :limit;

-- name: claim
-- Hand a job to a worker; it starts its next attempt.
UPDATE job_queue SET
    status = 'running', attempt = attempt + 1, claimed_by = :worker,
    lease_expires_at = :lease_expires_at, started_at = :now, next_retry_at = NULL
WHERE id = :job_id AND status = 'queued'
RETURNING *;

-- name: renew
-- Extend the lease of a claim, as long as it is the current one.
UPDATE job_queue SET lease_expires_at = :lease_expires_at
WHERE id = :job_id AND status = 'running' AND attempt = :attempt AND claimed_by = :worker;

-- name: finish
-- Make a job terminal, for the holder of its current claim only.
UPDATE job_queue SET
    status = :status, completed_at = :now, last_error = :error,
    result_context_id = :result_context_id, claimed_by = NULL, lease_expires_at = NULL
WHERE id = :job_id AND status = 'running' AND attempt = :attempt AND claimed_by = :worker;

-- name: retry
-- Queue a job for its next attempt, for the holder of its current claim only.
UPDATE job_queue SET
    status = 'queued', next_retry_at = :due, last_error = :error,
    claimed_by = NULL, lease_expires_at = NULL
WHERE id = :job_id AND status = 'running' AND attempt = :attempt AND claimed_by = :worker;

-- name: give_back
-- Queue a job at once without counting its attempt, for the holder of its current claim only.
UPDATE job_queue SET
    status = 'queued', interruptions = interruptions + 1, last_error = :error,
    claimed_by = NULL, lease_expires_at = NULL
WHERE id = :job_id AND status = 'running' AND attempt = :attempt AND claimed_by = :worker;

-- name: cancel
-- Make all queued jobs of a run terminal; the index holds those that are open.
UPDATE job_queue SET
    status = 'cancelled', completed_at = :now, last_error = :reason, next_retry_at = NULL
WHERE run_id = :run_id AND status IN ('queued', 'running') AND status = 'queued'
RETURNING created_at, id;

-- name: log
-- Record an attempt, as long as no later one of the job was claimed.
INSERT INTO job_log (
    job_id, attempt, status, started_at, completed_at, exit_code, error, result, logs, stderr
)
SELECT
    id, attempt, :status, :started_at, :completed_at, :exit_code, :error, :result, :logs, :stderr
FROM job_queue WHERE id = :job_id AND attempt = :attempt;

-- name: running
-- Running jobs, oldest first; with a moment, those whose lease had ended by then.
SELECT * FROM job_queue
WHERE status = 'running' AND (:expired_at IS NULL OR lease_expires_at <= :expired_at)
ORDER BY created_at, id;

-- name: get
-- One job.
SELECT * FROM job_queue WHERE id = :job_id;
