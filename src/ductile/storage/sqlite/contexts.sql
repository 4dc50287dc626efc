-- CROSS JOIN keeps the order as written; left alone, the planner may read a whole table instead.

-- name: add
-- Write one row of the ledger.
INSERT INTO event_context (
    id, parent_id, run_id, pipeline_name, pipeline_hash, step_id, hop, accumulated_json, created_at
) VALUES (
    :id, :parent_id, :run_id, :pipeline_name, :pipeline_hash, :step_id, :hop, :accumulated_json,
    :created_at
);

-- name: missing
-- Which rows that a refused context refers to do not exist.
SELECT 'parent context ' || :parent_id
WHERE :parent_id IS NOT NULL AND NOT EXISTS (SELECT 1 FROM event_context WHERE id = :parent_id)
UNION
SELECT 'run ' || :run_id
WHERE :run_id IS NOT NULL AND NOT EXISTS (SELECT 1 FROM pipeline_run WHERE id = :run_id)
UNION
SELECT 'pipeline version ' || :pipeline_hash
WHERE :pipeline_hash IS NOT NULL
    AND NOT EXISTS (SELECT 1 FROM pipeline_version WHERE hash = :pipeline_hash);

-- name: get
-- One row.
SELECT * FROM event_context WHERE id = :context_id;

-- name: lineage
-- A row and all that it grew from, root first.
WITH RECURSIVE line (id, parent_id, hop) AS (
    SELECT id, parent_id, hop FROM event_context WHERE id = :context_id
    UNION ALL
    SELECT parent.id, parent.parent_id, parent.hop
    FROM line CROSS JOIN event_context AS parent ON parent.id = line.parent_id
)
SELECT event_context.*
FROM line CROSS JOIN event_context ON event_context.id = line.id
ORDER BY line.hop;
