-- CROSS JOIN keeps the order as written; left alone, the planner may read a whole table instead.

-- name: add
-- Record one change of a job.
INSERT INTO artifact (job_id, path, change, size, mode, blake3, mtime_ns, symlink, tainted_by)
VALUES (:job_id, :path, :change, :size, :mode, :blake3, :mtime_ns, :symlink, :tainted_by);

-- name: of_job
-- The changes of one job.
SELECT * FROM artifact WHERE job_id = :job_id;

-- name: lineage
-- A job and those that its workspace descends from. None is written before its sources are.
WITH RECURSIVE line (job_id) AS (
    SELECT :job_id
    UNION
    SELECT job.parent_job_id
    FROM line CROSS JOIN job_queue AS job ON job.id = line.job_id
    WHERE job.workspace <> 'empty' AND job.join_id IS NULL AND job.parent_job_id IS NOT NULL
    UNION
    SELECT join_arrival.job_id
    FROM line CROSS JOIN job_queue AS job ON job.id = line.job_id
    CROSS JOIN join_arrival
        ON join_arrival.run_id = job.run_id AND join_arrival.join_id = job.join_id
    WHERE job.workspace <> 'empty' AND join_arrival.job_id IS NOT NULL
)
SELECT job.id, job.parent_job_id, job.run_id, job.join_id, job.workspace
FROM line CROSS JOIN job_queue AS job ON job.id = line.job_id
ORDER BY job.rowid;

-- name: sources
-- The jobs that arrived at a join, in the order in which it merges.
SELECT job_id FROM join_arrival
WHERE run_id = :run_id AND join_id = :join_id AND job_id IS NOT NULL
ORDER BY position, number;

-- name: changes
-- The changes of these jobs.
SELECT artifact.*
FROM json_each(:ids) AS job CROSS JOIN artifact ON artifact.job_id = job.value;

-- name: changes_between
-- The changes of these jobs to paths of a range; names that are not UTF-8 sort after all others.
SELECT artifact.*
FROM json_each(:ids) AS job CROSS JOIN artifact
    ON artifact.job_id = job.value AND artifact.path >= :first AND artifact.path < :end
UNION ALL
SELECT artifact.*
FROM json_each(:ids) AS job CROSS JOIN artifact
    ON artifact.job_id = job.value
    AND artifact.path >= CAST(:first AS BLOB) AND artifact.path < CAST(:end AS BLOB);

-- name: taint
-- Mark an artifact, keeping who was caught first.
UPDATE artifact SET tainted_by = coalesce(tainted_by, :by)
WHERE job_id = :job_id AND path = :path;
