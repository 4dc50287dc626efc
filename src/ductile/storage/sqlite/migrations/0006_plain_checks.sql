-- SQLite makes a table of its own for every list of three or more values, each time that a statement
-- looks at it: some twenty of them for each job, in checks and in the conditions of indexes. What
-- the checks say stays the same, so the rows need not be written anew, only the text of the schema.

PRAGMA writable_schema = ON;

UPDATE sqlite_schema SET sql = replace(
    replace(
        sql,
        'status IN (''queued'', ''running'', ''succeeded'', ''failed'', ''timed_out'', ''cancelled'')',
        'status IN (''queued'', ''running'') OR status IN (''succeeded'', ''failed'')
        OR status IN (''timed_out'', ''cancelled'')'
    ),
    'workspace IN (''clone'', ''copy'', ''empty'')',
    'workspace IN (''clone'', ''copy'') OR workspace = ''empty'''
) WHERE type = 'table' AND name = 'job_queue';

UPDATE sqlite_schema SET sql = replace(
    sql,
    'status IN (''succeeded'', ''failed'', ''timed_out'', ''crashed'', ''interrupted'')',
    'status IN (''succeeded'', ''failed'') OR status IN (''timed_out'', ''crashed'')
        OR status = ''interrupted'''
) WHERE type = 'table' AND name = 'job_log';

UPDATE sqlite_schema SET sql = replace(
    sql,
    'change IN (''added'', ''replaced'', ''removed'')',
    'change IN (''added'', ''replaced'') OR change = ''removed'''
) WHERE type = 'table' AND name = 'artifact';

UPDATE sqlite_schema SET sql = replace(
    replace(
        sql,
        'status IN (''running'', ''succeeded'', ''failed'', ''timed_out'', ''cancelled'')',
        'status IN (''running'', ''succeeded'') OR status IN (''failed'', ''timed_out'')
        OR status = ''cancelled'''
    ),
    'phase IN (''main'', ''on_failure'', ''finally'')',
    'phase IN (''main'', ''on_failure'') OR phase = ''finally'''
) WHERE type = 'table' AND name = 'pipeline_run';

UPDATE sqlite_schema SET sql = replace(
    replace(
        sql,
        'verdict IN (''accepted'', ''repeated'', ''handshake'', ''refused'', ''resent'')',
        'verdict IN (''accepted'', ''repeated'') OR verdict IN (''handshake'', ''refused'')
        OR verdict = ''resent'''
    ),
    'verdict IN (''accepted'', ''repeated'', ''resent'')',
    'verdict IN (''accepted'', ''repeated'') OR verdict = ''resent'''
) WHERE type = 'table' AND name = 'delivery';

PRAGMA writable_schema = RESET;

DROP INDEX job_queue_unsuccessful;
CREATE INDEX job_queue_unsuccessful ON job_queue (status, id)
    WHERE completed_at IS NOT NULL AND status <> 'succeeded';
DROP INDEX job_queue_unsuccessful_in_run;
CREATE INDEX job_queue_unsuccessful_in_run ON job_queue (run_id)
    WHERE completed_at IS NOT NULL AND status <> 'succeeded';
DROP INDEX delivery_started_nothing;
CREATE INDEX delivery_started_nothing ON delivery (endpoint, id)
    WHERE verdict NOT IN ('accepted', 'resent');
