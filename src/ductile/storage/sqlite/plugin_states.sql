-- name: get
-- The state of one plugin.
SELECT state FROM plugin_state WHERE plugin = :plugin;

-- name: put
-- Replace the state of one plugin.
INSERT INTO plugin_state (plugin, state, updated_at) VALUES (:plugin, :state, :now)
ON CONFLICT (plugin) DO UPDATE SET state = excluded.state, updated_at = excluded.updated_at;
