-- Rows are in the order of their ids, which is that in which deliveries came, and 'g' is beyond
-- all ids: these are of the digits 0 to f.

-- name: add
-- Write one row.
INSERT INTO delivery (
    id, received_at, endpoint, scheme, verdict, status, reason, delivery_id, size, event_id
) VALUES (
    :id, :received_at, :endpoint, :scheme, :verdict, :status, :reason, :delivery_id, :size,
    :event_id
);

-- name: missing
-- Which rows that a refused delivery refers to do not exist.
SELECT 'event ' || :event_id
WHERE :event_id IS NOT NULL AND NOT EXISTS (SELECT 1 FROM event WHERE id = :event_id);

-- name: get
-- One delivery.
SELECT * FROM delivery WHERE id = :id;

-- name: page
-- Deliveries, newest first, whatever became of them.
SELECT * FROM delivery
WHERE id < coalesce(:before, 'g') AND (:endpoint IS NULL OR endpoint = :endpoint)
    AND (:verdict IS NULL OR verdict = :verdict)
ORDER BY id DESC LIMIT :limit;

-- name: page_started_nothing
-- Those of one verdict that started nothing, newest first; reads none that started something.
SELECT * FROM delivery INDEXED BY delivery_started_nothing
WHERE verdict NOT IN ('accepted', 'resent') AND verdict = :verdict
    AND id < coalesce(:before, 'g') AND (:endpoint IS NULL OR endpoint = :endpoint)
ORDER BY id DESC LIMIT :limit;

-- name: expired
-- Of the oldest deliveries those that came before a moment.
SELECT id FROM (
    SELECT id, received_at FROM delivery WHERE id < 'g' ORDER BY id LIMIT :limit
) WHERE received_at < :before;

-- name: surplus
-- What started nothing and is not among the newest of its endpoint: a few index seeks for each
-- endpoint, and one walk over those of it that stay.
WITH RECURSIVE known (endpoint) AS (
    SELECT min(endpoint) FROM delivery INDEXED BY delivery_started_nothing
    WHERE verdict NOT IN ('accepted', 'resent')
    UNION ALL
    SELECT (
        SELECT min(endpoint) FROM delivery INDEXED BY delivery_started_nothing
        WHERE verdict NOT IN ('accepted', 'resent') AND endpoint > known.endpoint
    ) FROM known WHERE endpoint IS NOT NULL
)
SELECT old.id
FROM known CROSS JOIN delivery AS old INDEXED BY delivery_started_nothing
    ON old.verdict NOT IN ('accepted', 'resent') AND old.endpoint = known.endpoint
    AND old.id < (
        SELECT young.id FROM delivery AS young INDEXED BY delivery_started_nothing
        WHERE young.verdict NOT IN ('accepted', 'resent')
            AND young.endpoint = known.endpoint
        ORDER BY young.id DESC LIMIT 1 OFFSET :keep - 1
    )
LIMIT :limit;

-- name: forget
-- Delete some rows.
DELETE FROM delivery WHERE id IN (SELECT value FROM json_each(:ids));
