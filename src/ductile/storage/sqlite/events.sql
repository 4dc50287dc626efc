-- name: add
-- Write one event.
INSERT INTO event (id, type, payload, source, created_at, chain_id, job_id, dedupe_key)
VALUES (:id, :type, :payload, :source, :created_at, :chain_id, :job_id, :dedupe_key);

-- name: missing
-- Which rows that a refused event refers to do not exist.
SELECT 'event ' || :chain_id
WHERE NOT EXISTS (SELECT 1 FROM event WHERE id = :chain_id)
UNION
SELECT 'job ' || :job_id
WHERE :job_id IS NOT NULL AND NOT EXISTS (SELECT 1 FROM job_queue WHERE id = :job_id);

-- name: get
-- One event.
SELECT * FROM event WHERE id = :event_id;
