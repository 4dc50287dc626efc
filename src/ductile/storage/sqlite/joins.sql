-- name: arrive
-- Write down what came to a join; the schema refuses what comes too late.
INSERT INTO join_arrival (
    run_id, join_id, position, source, event_id, context_id, job_id, created_at
) VALUES (:run_id, :join_id, :position, :source, :event_id, :context_id, :job_id, :now);

-- name: arrivals
-- What came to a join, in the order in which it merges.
SELECT * FROM join_arrival WHERE run_id = :run_id AND join_id = :join_id
ORDER BY position, number;

-- name: leave
-- Note that a join has gone on.
INSERT INTO join_passed (run_id, join_id, passed_at) VALUES (:run_id, :join_id, :now);

-- name: open
-- Steps of a run with a job that is not terminal.
SELECT step_id FROM job_queue WHERE run_id = :run_id AND status IN ('queued', 'running');

-- name: failed
-- Steps of a run with a job that ended otherwise than well.
SELECT step_id FROM job_queue
WHERE run_id = :run_id AND completed_at IS NOT NULL AND status <> 'succeeded';

-- name: arrived
-- Joins of a run that something has come to.
SELECT DISTINCT join_id FROM join_arrival WHERE run_id = :run_id;

-- name: passed
-- Joins of a run that have gone on.
SELECT join_id FROM join_passed WHERE run_id = :run_id;

-- name: skip
-- Write down that a step was passed by.
INSERT INTO run_skip (run_id, step_id, parent_job_id, event_id, reason, created_at)
VALUES (:run_id, :step_id, :parent_job_id, :event_id, :reason, :now);
