-- name: first
-- What was let in under a key that still counts.
SELECT event_id, started FROM dedupe WHERE digest = :digest AND expires_at > :now;

-- name: keep
-- Let a key count from now on; one that still counts is left as it is.
INSERT INTO dedupe (digest, event_id, started, expires_at)
VALUES (:digest, :event_id, :started, :expires_at)
ON CONFLICT (digest) DO UPDATE SET
    event_id = excluded.event_id, started = excluded.started, expires_at = excluded.expires_at
WHERE expires_at <= :now;

-- name: prune
-- Forget some keys that count no more, those first that ended first.
DELETE FROM dedupe WHERE digest IN (
    SELECT digest FROM dedupe WHERE expires_at <= :now ORDER BY expires_at LIMIT :limit
);
