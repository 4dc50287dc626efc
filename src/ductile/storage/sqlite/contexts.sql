-- CROSS JOIN keeps the order as written; left alone, the planner may read a whole table instead.

-- name: add
-- Write one row of the ledger. No row has the number of a parent or version that does not exist.
INSERT INTO context (
    id, parent, run_id, version, step_id, hop, accumulated_json, created_at
) VALUES (
    :id,
    CASE WHEN :parent_id IS NOT NULL
        THEN coalesce((SELECT number FROM context WHERE id = :parent_id), -1)
    END,
    :run_id,
    CASE WHEN :pipeline_hash IS NOT NULL
        THEN coalesce((SELECT number FROM pipeline_version WHERE hash = :pipeline_hash), -1)
    END,
    :step_id, :hop, :accumulated_json, :created_at
);

-- name: missing
-- Which rows that a refused context refers to do not exist.
SELECT 'parent context ' || :parent_id
WHERE :parent_id IS NOT NULL AND NOT EXISTS (SELECT 1 FROM context WHERE id = :parent_id)
UNION
SELECT 'run ' || :run_id
WHERE :run_id IS NOT NULL AND NOT EXISTS (SELECT 1 FROM pipeline_run WHERE id = :run_id)
UNION
SELECT 'pipeline version ' || :pipeline_hash
WHERE :pipeline_hash IS NOT NULL
    AND NOT EXISTS (SELECT 1 FROM pipeline_version WHERE hash = :pipeline_hash);

-- name: get
-- One row.
SELECT id, parent_id, run_id, pipeline_hash, step_id, hop, accumulated_json, created_at
FROM event_context WHERE id = :context_id;

-- name: lineage
-- A row and all that it grew from, root first.
WITH RECURSIVE line (id, parent) AS (
    SELECT id, parent FROM context WHERE id = :context_id
    UNION ALL
    SELECT context.id, context.parent
    FROM line CROSS JOIN context ON context.number = line.parent
)
SELECT id, parent_id, run_id, pipeline_hash, step_id, hop, accumulated_json, created_at
FROM line CROSS JOIN event_context USING (id)
ORDER BY hop;
