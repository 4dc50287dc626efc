-- name: is_empty
-- Whether nothing was ever made in the database.
SELECT NOT EXISTS (SELECT 1 FROM sqlite_schema);

-- name: is_ours
-- Whether the database has been made by this program.
SELECT EXISTS (SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = 'schema_version');

-- name: version
-- The version that the database is at.
SELECT coalesce(max(version), 0) FROM schema_version;

-- name: record
-- Note that a migration was applied.
INSERT INTO schema_version (version, name, applied_at) VALUES (:version, :name, :now);

-- name: probe
-- Dirty one page without changing any table: proves that the disk takes a commit.
PRAGMA user_version = 1;
