-- CROSS JOIN keeps the order as written; left alone, the planner may read a whole table instead.

-- name: add
-- Record one change of a job.
INSERT INTO artifact (job_id, path, change, size, mode, blake3, mtime_ns, symlink, tainted_by)
VALUES (:job_id, :path, :change, :size, :mode, :blake3, :mtime_ns, :symlink, :tainted_by);

-- name: of_job
-- The changes of one job.
SELECT * FROM artifact WHERE job_id = :job_id;

-- name: held
-- The changes of a job and of those that its workspace descends from, oldest first.
WITH RECURSIVE line (job_id, parent_job_id, workspace, distance) AS (
    SELECT id, parent_job_id, workspace, 0 FROM job_queue WHERE id = :job_id
    UNION ALL
    SELECT parent.id, parent.parent_job_id, parent.workspace, line.distance + 1
    FROM line CROSS JOIN job_queue AS parent ON parent.id = line.parent_job_id
    WHERE line.workspace <> 'empty'
)
SELECT artifact.* FROM line CROSS JOIN artifact ON artifact.job_id = line.job_id
ORDER BY line.distance DESC;

-- name: origin
-- The latest change of one path, seen from a job.
WITH RECURSIVE line (job_id, parent_job_id, workspace, distance) AS (
    SELECT id, parent_job_id, workspace, 0 FROM job_queue WHERE id = :job_id
    UNION ALL
    SELECT parent.id, parent.parent_job_id, parent.workspace, line.distance + 1
    FROM line CROSS JOIN job_queue AS parent ON parent.id = line.parent_job_id
    WHERE line.workspace <> 'empty'
)
SELECT artifact.*
FROM line CROSS JOIN artifact ON artifact.job_id = line.job_id AND artifact.path = :path
ORDER BY line.distance LIMIT 1;

-- name: taint
-- Mark an artifact, keeping who was caught first.
UPDATE artifact SET tainted_by = coalesce(tainted_by, :by)
WHERE job_id = :job_id AND path = :path;
