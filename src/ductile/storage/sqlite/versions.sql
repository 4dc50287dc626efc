-- name: add
-- Keep a version unless it is kept already.
INSERT INTO pipeline_version (hash, name, definition, created_at)
VALUES (:hash, :name, :definition, :now)
ON CONFLICT (hash) DO NOTHING;

-- name: get
-- The definition of one version.
SELECT definition FROM pipeline_version WHERE hash = :hash;
