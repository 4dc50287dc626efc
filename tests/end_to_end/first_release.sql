-- A database as the first release left it when it was killed: version 1 of the schema, with one
-- run that has ended, and others that are cut off, queued, split, started by events, and waiting.
-- Made by that release itself; only the day was set back. Never to be changed.

PRAGMA page_size=4096;

BEGIN TRANSACTION;

DROP TABLE IF EXISTS artifact;
CREATE TABLE artifact (
    job_id     TEXT NOT NULL REFERENCES job_queue (id),
    -- Text; bytes only where a file name is not UTF-8.
    path       ANY NOT NULL CHECK (typeof(path) IN ('text', 'blob')),
    change     TEXT NOT NULL CHECK (change IN ('added', 'replaced', 'removed')),
    size       INTEGER NOT NULL CHECK (size >= 0),
    mode       INTEGER NOT NULL,
    blake3     TEXT,
    mtime_ns   INTEGER NOT NULL,
    symlink    INTEGER NOT NULL CHECK (symlink IN (0, 1)),
    tainted_by TEXT REFERENCES job_queue (id),
    PRIMARY KEY (job_id, path),
    CONSTRAINT what_is_there_has_a_hash
        CHECK ((change = 'removed') = (blake3 IS NULL)),
    CONSTRAINT a_path_is_relative
        CHECK (substr(path, 1, 1) <> CASE typeof(path) WHEN 'blob' THEN x'2f' ELSE '/' END)
) STRICT;
INSERT INTO artifact VALUES('01a215eb-c0d7-76b1-8d6d-9c6bc898ba5b','trace','added',4,292,'e0e63aa4c8e1ed796cb104d8a074e553c99fff18d140e886667013ef2780ae23',1795664101602203203,0,NULL);
INSERT INTO artifact VALUES('01a215eb-c0ea-7105-9bd4-5dee1be5698a','trace','replaced',8,292,'04d2649eb72531af4fa85b201f6610814cb48e8ffb171b64bea1be6051ee8ba5',1795664101628827007,0,NULL);
INSERT INTO artifact VALUES('01a215eb-c103-71ce-8efe-aabf8a8d9763','trace','replaced',14,292,'10e1a16f0805bd7128d2ff11264ffd33566f0ad1d980ebd0f2b3848815d2e72b',1795664101649651288,0,NULL);
INSERT INTO artifact VALUES('01a215eb-c11b-7000-9ade-b8f22b7266e1','trace','added',4,292,'e0e63aa4c8e1ed796cb104d8a074e553c99fff18d140e886667013ef2780ae23',1795664101670203206,0,NULL);
INSERT INTO artifact VALUES('01a215eb-c142-772e-b56f-734c5b7f170d','trace','added',4,292,'e0e63aa4c8e1ed796cb104d8a074e553c99fff18d140e886667013ef2780ae23',1795664101706203207,0,NULL);
INSERT INTO artifact VALUES('01a215eb-c158-7014-8c67-1e14c6d88cc9','trace','added',4,292,'e0e63aa4c8e1ed796cb104d8a074e553c99fff18d140e886667013ef2780ae23',1795664101727976167,0,NULL);
INSERT INTO artifact VALUES('01a215eb-c161-7752-88b0-4242f5450e1c','trace','replaced',10,292,'49c39e18c41ecea10775915bd5725916abad52b2fac31593c7e59a7a97ab8e25',1795664101738203208,0,NULL);
INSERT INTO artifact VALUES('01a215eb-c178-71ab-90a7-74f048727042','trace','replaced',14,292,'375303a91d64bec4b824495519dd06d28b55d6d8319f962dd85b4404e281846a',1795664101763675589,0,NULL);

DROP TABLE IF EXISTS event;
CREATE TABLE event (
    id         TEXT NOT NULL PRIMARY KEY,
    type       TEXT NOT NULL,
    payload    TEXT NOT NULL,
    source     TEXT NOT NULL,
    created_at TEXT NOT NULL,
    chain_id   TEXT NOT NULL REFERENCES event (id),
    job_id     TEXT REFERENCES job_queue (id),
    dedupe_key TEXT,
    CONSTRAINT an_event_from_outside_starts_its_chain
        CHECK ((job_id IS NULL) = (chain_id = id))
) STRICT;
INSERT INTO event VALUES('01a215eb-c0d7-76b1-8d6d-9c6829574fe8','line.begun','{"channel_id":"C1"}','line','2024-01-01T03:35:01.591421Z','01a215eb-c0d7-76b1-8d6d-9c6829574fe8',NULL,NULL);
INSERT INTO event VALUES('01a215eb-c0ea-7105-9bd4-5ded4fe4ed86','ductile.step.succeeded','{"result":"did one"}','one','2024-01-01T03:35:01.610766Z','01a215eb-c0d7-76b1-8d6d-9c6829574fe8','01a215eb-c0d7-76b1-8d6d-9c6bc898ba5b',NULL);
INSERT INTO event VALUES('01a215eb-c103-71ce-8efe-aabe332466e3','ductile.step.succeeded','{"result":"did two"}','two','2024-01-01T03:35:01.635163Z','01a215eb-c0d7-76b1-8d6d-9c6829574fe8','01a215eb-c0ea-7105-9bd4-5dee1be5698a',NULL);
INSERT INTO event VALUES('01a215eb-c11b-7000-9ade-b8ef9b45133a','retry.begun','{"channel_id":"C2"}','retry','2024-01-01T03:35:01.659027Z','01a215eb-c11b-7000-9ade-b8ef9b45133a',NULL,NULL);
INSERT INTO event VALUES('01a215eb-c12c-7127-a047-fbeddcc1da87','ductile.step.succeeded','{"result":"did one"}','one','2024-01-01T03:35:01.676348Z','01a215eb-c11b-7000-9ade-b8ef9b45133a','01a215eb-c11b-7000-9ade-b8f22b7266e1',NULL);
INSERT INTO event VALUES('01a215eb-c141-74eb-883d-6f2ed02c2854','line.begun','{"channel_id":"C3","hold":true}','line','2024-01-01T03:35:01.697943Z','01a215eb-c141-74eb-883d-6f2ed02c2854',NULL,NULL);
INSERT INTO event VALUES('01a215eb-c153-7145-964e-45efd1428b4e','ductile.step.succeeded','{"result":"did one"}','one','2024-01-01T03:35:01.715819Z','01a215eb-c141-74eb-883d-6f2ed02c2854','01a215eb-c142-772e-b56f-734c5b7f170d',NULL);
INSERT INTO event VALUES('01a215eb-c158-7014-8c67-1e1118399a0c','wide.begun','{"channel_id":"C4"}','wide','2024-01-01T03:35:01.720151Z','01a215eb-c158-7014-8c67-1e1118399a0c',NULL,NULL);
INSERT INTO event VALUES('01a215eb-c15b-70e8-8431-cb1dccceb6e8','fan.begun','{"channel_id":"C5"}','fan','2024-01-01T03:35:01.723369Z','01a215eb-c15b-70e8-8431-cb1dccceb6e8',NULL,NULL);
INSERT INTO event VALUES('01a215eb-c161-7752-88b0-4240b28cad56','ductile.step.succeeded','{"result":"did one"}','one','2024-01-01T03:35:01.729759Z','01a215eb-c158-7014-8c67-1e1118399a0c','01a215eb-c158-7014-8c67-1e14c6d88cc9',NULL);
INSERT INTO event VALUES('01a215eb-c163-7326-ab0e-bea0a7cc697f','part.made','{"part":1}','fan','2024-01-01T03:35:01.731846Z','01a215eb-c15b-70e8-8431-cb1dccceb6e8','01a215eb-c15b-70e8-8431-cb2030ac982b',NULL);
INSERT INTO event VALUES('01a215eb-c163-7326-ab0e-bea4d8ce6d9a','part.made','{"part":2}','fan','2024-01-01T03:35:01.731846Z','01a215eb-c15b-70e8-8431-cb1dccceb6e8','01a215eb-c15b-70e8-8431-cb2030ac982b',NULL);
INSERT INTO event VALUES('01a215eb-c178-71ab-90a7-74ef7f1b00d1','ductile.step.succeeded','{"result":"did three"}','three','2024-01-01T03:35:01.752006Z','01a215eb-c158-7014-8c67-1e1118399a0c','01a215eb-c161-7752-88b0-4242f5450e1c',NULL);
CREATE INDEX event_chain ON event (chain_id);
CREATE TRIGGER event_is_never_changed BEFORE UPDATE ON event
BEGIN SELECT RAISE (ABORT, 'a row of event is immutable'); END;
CREATE TRIGGER event_is_never_deleted BEFORE DELETE ON event
BEGIN SELECT RAISE (ABORT, 'a row of event is immutable'); END;

DROP TABLE IF EXISTS event_context;
CREATE TABLE event_context (
    id               TEXT NOT NULL PRIMARY KEY,
    parent_id        TEXT REFERENCES event_context (id),
    run_id           TEXT REFERENCES pipeline_run (id),
    pipeline_name    TEXT,
    pipeline_hash    TEXT REFERENCES pipeline_version (hash),
    step_id          TEXT,
    hop              INTEGER NOT NULL,
    accumulated_json TEXT NOT NULL,
    created_at       TEXT NOT NULL,
    CONSTRAINT a_root_is_hop_0
        CHECK (hop >= 0 AND (parent_id IS NULL) = (hop = 0))
) STRICT;
INSERT INTO event_context VALUES('01a215eb-c0d7-76b1-8d6d-9c6913180321',NULL,NULL,NULL,NULL,NULL,0,'{"channel_id":"C1","origin_event_id":"01a215eb-c0d7-76b1-8d6d-9c6829574fe8","origin_event_type":"line.begun","origin_source":"line","origin_received_at":"2024-01-01T03:35:01.591421Z"}','2024-01-01T03:35:01.591421Z');
INSERT INTO event_context VALUES('01a215eb-c0ea-7105-9bd4-5decdfa9269e','01a215eb-c0d7-76b1-8d6d-9c6913180321','01a215eb-c0d7-76b1-8d6d-9c6a1b7cdd17','line','blake3:ee4326b27ed60a477637dae0b50d892ca0aff8ba4155057fad04ddf8411e7d5a','one',1,'{"channel_id":"C1","origin_event_id":"01a215eb-c0d7-76b1-8d6d-9c6829574fe8","origin_event_type":"line.begun","origin_source":"line","origin_received_at":"2024-01-01T03:35:01.591421Z","one":true}','2024-01-01T03:35:01.610766Z');
INSERT INTO event_context VALUES('01a215eb-c103-71ce-8efe-aabd090df0ca','01a215eb-c0ea-7105-9bd4-5decdfa9269e','01a215eb-c0d7-76b1-8d6d-9c6a1b7cdd17','line','blake3:ee4326b27ed60a477637dae0b50d892ca0aff8ba4155057fad04ddf8411e7d5a','two',2,'{"channel_id":"C1","origin_event_id":"01a215eb-c0d7-76b1-8d6d-9c6829574fe8","origin_event_type":"line.begun","origin_source":"line","origin_received_at":"2024-01-01T03:35:01.591421Z","one":true,"two":true}','2024-01-01T03:35:01.635163Z');
INSERT INTO event_context VALUES('01a215eb-c118-7531-9d5a-b5cdcd040e2c','01a215eb-c103-71ce-8efe-aabd090df0ca','01a215eb-c0d7-76b1-8d6d-9c6a1b7cdd17','line','blake3:ee4326b27ed60a477637dae0b50d892ca0aff8ba4155057fad04ddf8411e7d5a','three',3,'{"channel_id":"C1","origin_event_id":"01a215eb-c0d7-76b1-8d6d-9c6829574fe8","origin_event_type":"line.begun","origin_source":"line","origin_received_at":"2024-01-01T03:35:01.591421Z","one":true,"two":true,"three":true}','2024-01-01T03:35:01.656402Z');
INSERT INTO event_context VALUES('01a215eb-c11b-7000-9ade-b8f0a056a433',NULL,NULL,NULL,NULL,NULL,0,'{"channel_id":"C2","origin_event_id":"01a215eb-c11b-7000-9ade-b8ef9b45133a","origin_event_type":"retry.begun","origin_source":"retry","origin_received_at":"2024-01-01T03:35:01.659027Z"}','2024-01-01T03:35:01.659027Z');
INSERT INTO event_context VALUES('01a215eb-c12c-7127-a047-fbecc5b8e1fa','01a215eb-c11b-7000-9ade-b8f0a056a433','01a215eb-c11b-7000-9ade-b8f1a6e874b5','retry','blake3:ee7a605252f09aeb484a39e8cd8a8f541dda364457d7a69fe17852bc7c065eb1','one',1,'{"channel_id":"C2","origin_event_id":"01a215eb-c11b-7000-9ade-b8ef9b45133a","origin_event_type":"retry.begun","origin_source":"retry","origin_received_at":"2024-01-01T03:35:01.659027Z","one":true}','2024-01-01T03:35:01.676348Z');
INSERT INTO event_context VALUES('01a215eb-c141-74eb-883d-6f2fce092995',NULL,NULL,NULL,NULL,NULL,0,'{"channel_id":"C3","hold":true,"origin_event_id":"01a215eb-c141-74eb-883d-6f2ed02c2854","origin_event_type":"line.begun","origin_source":"line","origin_received_at":"2024-01-01T03:35:01.697943Z"}','2024-01-01T03:35:01.697943Z');
INSERT INTO event_context VALUES('01a215eb-c153-7145-964e-45ee27c7e256','01a215eb-c141-74eb-883d-6f2fce092995','01a215eb-c142-772e-b56f-734b6d0c07a4','line','blake3:ee4326b27ed60a477637dae0b50d892ca0aff8ba4155057fad04ddf8411e7d5a','one',1,'{"channel_id":"C3","hold":true,"origin_event_id":"01a215eb-c141-74eb-883d-6f2ed02c2854","origin_event_type":"line.begun","origin_source":"line","origin_received_at":"2024-01-01T03:35:01.697943Z","one":true}','2024-01-01T03:35:01.715819Z');
INSERT INTO event_context VALUES('01a215eb-c158-7014-8c67-1e128b7c8b91',NULL,NULL,NULL,NULL,NULL,0,'{"channel_id":"C4","origin_event_id":"01a215eb-c158-7014-8c67-1e1118399a0c","origin_event_type":"wide.begun","origin_source":"wide","origin_received_at":"2024-01-01T03:35:01.720151Z"}','2024-01-01T03:35:01.720151Z');
INSERT INTO event_context VALUES('01a215eb-c15b-70e8-8431-cb1eb9e57e85',NULL,NULL,NULL,NULL,NULL,0,'{"channel_id":"C5","origin_event_id":"01a215eb-c15b-70e8-8431-cb1dccceb6e8","origin_event_type":"fan.begun","origin_source":"fan","origin_received_at":"2024-01-01T03:35:01.723369Z"}','2024-01-01T03:35:01.723369Z');
INSERT INTO event_context VALUES('01a215eb-c161-7752-88b0-423f58b70401','01a215eb-c158-7014-8c67-1e128b7c8b91','01a215eb-c158-7014-8c67-1e1323f6e17e','wide','blake3:e6028ab6166bc9612518ca612676840596aa3b172e7c68e01024b46cc6fd2de0','one',1,'{"channel_id":"C4","origin_event_id":"01a215eb-c158-7014-8c67-1e1118399a0c","origin_event_type":"wide.begun","origin_source":"wide","origin_received_at":"2024-01-01T03:35:01.720151Z","one":true}','2024-01-01T03:35:01.729759Z');
INSERT INTO event_context VALUES('01a215eb-c163-7326-ab0e-be9f93777dd4','01a215eb-c15b-70e8-8431-cb1eb9e57e85','01a215eb-c15b-70e8-8431-cb1ffcc9bf19','fan','blake3:413c8226b8b537bb5002c942881c8af385b79717605f0545a32b14a3e77d8bb5','fan',1,'{"channel_id":"C5","origin_event_id":"01a215eb-c15b-70e8-8431-cb1dccceb6e8","origin_event_type":"fan.begun","origin_source":"fan","origin_received_at":"2024-01-01T03:35:01.723369Z"}','2024-01-01T03:35:01.731846Z');
INSERT INTO event_context VALUES('01a215eb-c163-7326-ab0e-bea1df682de6','01a215eb-c163-7326-ab0e-be9f93777dd4','01a215eb-c163-7326-ab0e-bea291bc74cc','part','blake3:529ae67ed97801eb7924e6917508fe11203085fbeac6d55bc19a82d030cdeffd',NULL,2,'{"channel_id":"C5","origin_event_id":"01a215eb-c15b-70e8-8431-cb1dccceb6e8","origin_event_type":"fan.begun","origin_source":"fan","origin_received_at":"2024-01-01T03:35:01.723369Z","part":1}','2024-01-01T03:35:01.731846Z');
INSERT INTO event_context VALUES('01a215eb-c163-7326-ab0e-bea51ed3a144','01a215eb-c163-7326-ab0e-be9f93777dd4','01a215eb-c163-7326-ab0e-bea68e666775','part','blake3:529ae67ed97801eb7924e6917508fe11203085fbeac6d55bc19a82d030cdeffd',NULL,2,'{"channel_id":"C5","origin_event_id":"01a215eb-c15b-70e8-8431-cb1dccceb6e8","origin_event_type":"fan.begun","origin_source":"fan","origin_received_at":"2024-01-01T03:35:01.723369Z","part":2}','2024-01-01T03:35:01.731846Z');
INSERT INTO event_context VALUES('01a215eb-c178-71ab-90a7-74ee931b4759','01a215eb-c161-7752-88b0-423f58b70401','01a215eb-c158-7014-8c67-1e1323f6e17e','wide','blake3:e6028ab6166bc9612518ca612676840596aa3b172e7c68e01024b46cc6fd2de0','tail/three',2,'{"channel_id":"C4","origin_event_id":"01a215eb-c158-7014-8c67-1e1118399a0c","origin_event_type":"wide.begun","origin_source":"wide","origin_received_at":"2024-01-01T03:35:01.720151Z","one":true,"three":true}','2024-01-01T03:35:01.752006Z');
INSERT INTO event_context VALUES('01a215eb-c186-7413-ae1d-ac6f02ec5a84','01a215eb-c178-71ab-90a7-74ee931b4759','01a215eb-c158-7014-8c67-1e1323f6e17e','wide','blake3:e6028ab6166bc9612518ca612676840596aa3b172e7c68e01024b46cc6fd2de0','tail/last',3,'{"channel_id":"C4","origin_event_id":"01a215eb-c158-7014-8c67-1e1118399a0c","origin_event_type":"wide.begun","origin_source":"wide","origin_received_at":"2024-01-01T03:35:01.720151Z","one":true,"three":true}','2024-01-01T03:35:01.766877Z');
CREATE TRIGGER event_context_is_never_changed BEFORE UPDATE ON event_context
BEGIN SELECT RAISE (ABORT, 'a row of event_context is immutable'); END;
CREATE TRIGGER event_context_is_never_deleted BEFORE DELETE ON event_context
BEGIN SELECT RAISE (ABORT, 'a row of event_context is immutable'); END;
CREATE INDEX event_context_parent ON event_context (parent_id) WHERE parent_id IS NOT NULL;

DROP TABLE IF EXISTS job_log;
CREATE TABLE job_log (
    job_id       TEXT NOT NULL REFERENCES job_queue (id),
    attempt      INTEGER NOT NULL CHECK (attempt >= 1),
    status       TEXT NOT NULL CHECK (
        status IN ('succeeded', 'failed', 'timed_out', 'crashed', 'interrupted')
    ),
    started_at   TEXT NOT NULL,
    completed_at TEXT NOT NULL,
    exit_code    INTEGER,
    error        TEXT,
    result       TEXT,
    logs         TEXT NOT NULL,
    stderr       TEXT NOT NULL,
    PRIMARY KEY (job_id, attempt)
) STRICT;
INSERT INTO job_log VALUES('01a215eb-c0d7-76b1-8d6d-9c6bc898ba5b',1,'succeeded','2024-01-01T03:35:01.598845Z','2024-01-01T03:35:01.610704Z',0,NULL,'did one','[]','');
INSERT INTO job_log VALUES('01a215eb-c0ea-7105-9bd4-5dee1be5698a',1,'succeeded','2024-01-01T03:35:01.618848Z','2024-01-01T03:35:01.635096Z',0,NULL,'did two','[]','');
INSERT INTO job_log VALUES('01a215eb-c103-71ce-8efe-aabf8a8d9763',1,'succeeded','2024-01-01T03:35:01.642633Z','2024-01-01T03:35:01.656352Z',0,NULL,'did three','[]','');
INSERT INTO job_log VALUES('01a215eb-c11b-7000-9ade-b8f22b7266e1',1,'succeeded','2024-01-01T03:35:01.661832Z','2024-01-01T03:35:01.676295Z',0,NULL,'did one','[]','');
INSERT INTO job_log VALUES('01a215eb-c12c-7127-a047-fbee8e004c4d',1,'failed','2024-01-01T03:35:01.683478Z','2024-01-01T03:35:01.695384Z',0,'no luck yet',NULL,'[]','');
INSERT INTO job_log VALUES('01a215eb-c142-772e-b56f-734c5b7f170d',1,'succeeded','2024-01-01T03:35:01.703960Z','2024-01-01T03:35:01.715770Z',0,NULL,'did one','[]','');
INSERT INTO job_log VALUES('01a215eb-c158-7014-8c67-1e14c6d88cc9',1,'succeeded','2024-01-01T03:35:01.724524Z','2024-01-01T03:35:01.729714Z',0,NULL,'did one','[]','');
INSERT INTO job_log VALUES('01a215eb-c15b-70e8-8431-cb2030ac982b',1,'succeeded','2024-01-01T03:35:01.727604Z','2024-01-01T03:35:01.731808Z',0,NULL,NULL,'[]','');
INSERT INTO job_log VALUES('01a215eb-c161-7752-88b0-4242f5450e1c',1,'succeeded','2024-01-01T03:35:01.732832Z','2024-01-01T03:35:01.751961Z',0,NULL,'did three','[]','');
INSERT INTO job_log VALUES('01a215eb-c178-71ab-90a7-74f048727042',1,'succeeded','2024-01-01T03:35:01.754351Z','2024-01-01T03:35:01.766832Z',0,NULL,'did one','[]','');

DROP TABLE IF EXISTS job_queue;
CREATE TABLE job_queue (
    id               TEXT NOT NULL PRIMARY KEY,
    chain_id         TEXT NOT NULL REFERENCES event (id),
    plugin           TEXT NOT NULL,
    command          TEXT NOT NULL,
    event_context_id TEXT NOT NULL REFERENCES event_context (id),
    source_event_id  TEXT NOT NULL REFERENCES event (id),
    submitted_by     TEXT NOT NULL,
    created_at       TEXT NOT NULL,
    max_attempts     INTEGER NOT NULL CHECK (max_attempts >= 1),
    run_id           TEXT REFERENCES pipeline_run (id),
    step_id          TEXT,
    parent_job_id    TEXT REFERENCES job_queue (id),
    workspace        TEXT NOT NULL CHECK (workspace IN ('clone', 'copy', 'empty')),
    dedupe_key       TEXT,
    status           TEXT NOT NULL CHECK (
        status IN ('queued', 'running', 'succeeded', 'failed', 'timed_out', 'cancelled')
    ),
    attempt          INTEGER NOT NULL,
    interruptions    INTEGER NOT NULL,
    claimed_by       TEXT,
    lease_expires_at TEXT,
    started_at       TEXT,
    completed_at     TEXT,
    next_retry_at    TEXT,
    last_error       TEXT,
    result_context_id TEXT REFERENCES event_context (id),
    CONSTRAINT only_a_success_has_a_result
        CHECK (status = 'succeeded' OR result_context_id IS NULL),
    CONSTRAINT a_terminal_job_has_a_completion_time
        CHECK ((status NOT IN ('queued', 'running')) = (completed_at IS NOT NULL)),
    CONSTRAINT a_running_job_is_claimed
        CHECK ((status = 'running') = (claimed_by IS NOT NULL)),
    CONSTRAINT a_running_job_has_a_lease
        CHECK ((status = 'running') = (lease_expires_at IS NOT NULL)),
    CONSTRAINT a_running_job_was_started
        CHECK (status <> 'running' OR (started_at IS NOT NULL AND attempt >= 1)),
    CONSTRAINT only_a_queued_job_waits
        CHECK (status = 'queued' OR next_retry_at IS NULL),
    CONSTRAINT interruptions_are_attempts
        CHECK (interruptions BETWEEN 0 AND attempt)
) STRICT;
INSERT INTO job_queue VALUES('01a215eb-c0d7-76b1-8d6d-9c6bc898ba5b','01a215eb-c0d7-76b1-8d6d-9c6829574fe8','one','handle','01a215eb-c0d7-76b1-8d6d-9c6913180321','01a215eb-c0d7-76b1-8d6d-9c6829574fe8','line','2024-01-01T03:35:01.591421Z',4,'01a215eb-c0d7-76b1-8d6d-9c6a1b7cdd17','one',NULL,'clone',NULL,'succeeded',1,0,NULL,NULL,'2024-01-01T03:35:01.594892Z','2024-01-01T03:35:01.610704Z',NULL,NULL,'01a215eb-c0ea-7105-9bd4-5decdfa9269e');
INSERT INTO job_queue VALUES('01a215eb-c0ea-7105-9bd4-5dee1be5698a','01a215eb-c0d7-76b1-8d6d-9c6829574fe8','two','handle','01a215eb-c0ea-7105-9bd4-5decdfa9269e','01a215eb-c0ea-7105-9bd4-5ded4fe4ed86','one','2024-01-01T03:35:01.610766Z',4,'01a215eb-c0d7-76b1-8d6d-9c6a1b7cdd17','two','01a215eb-c0d7-76b1-8d6d-9c6bc898ba5b','clone',NULL,'succeeded',1,0,NULL,NULL,'2024-01-01T03:35:01.614565Z','2024-01-01T03:35:01.635096Z',NULL,NULL,'01a215eb-c103-71ce-8efe-aabd090df0ca');
INSERT INTO job_queue VALUES('01a215eb-c103-71ce-8efe-aabf8a8d9763','01a215eb-c0d7-76b1-8d6d-9c6829574fe8','three','handle','01a215eb-c103-71ce-8efe-aabd090df0ca','01a215eb-c103-71ce-8efe-aabe332466e3','two','2024-01-01T03:35:01.635163Z',4,'01a215eb-c0d7-76b1-8d6d-9c6a1b7cdd17','three','01a215eb-c0ea-7105-9bd4-5dee1be5698a','clone',NULL,'succeeded',1,0,NULL,NULL,'2024-01-01T03:35:01.638535Z','2024-01-01T03:35:01.656352Z',NULL,NULL,'01a215eb-c118-7531-9d5a-b5cdcd040e2c');
INSERT INTO job_queue VALUES('01a215eb-c11b-7000-9ade-b8f22b7266e1','01a215eb-c11b-7000-9ade-b8ef9b45133a','one','handle','01a215eb-c11b-7000-9ade-b8f0a056a433','01a215eb-c11b-7000-9ade-b8ef9b45133a','retry','2024-01-01T03:35:01.659027Z',4,'01a215eb-c11b-7000-9ade-b8f1a6e874b5','one',NULL,'clone',NULL,'succeeded',1,0,NULL,NULL,'2024-01-01T03:35:01.660504Z','2024-01-01T03:35:01.676295Z',NULL,NULL,'01a215eb-c12c-7127-a047-fbecc5b8e1fa');
INSERT INTO job_queue VALUES('01a215eb-c12c-7127-a047-fbee8e004c4d','01a215eb-c11b-7000-9ade-b8ef9b45133a','flaky','handle','01a215eb-c12c-7127-a047-fbecc5b8e1fa','01a215eb-c12c-7127-a047-fbeddcc1da87','one','2024-01-01T03:35:01.676348Z',9,'01a215eb-c11b-7000-9ade-b8f1a6e874b5','flaky','01a215eb-c11b-7000-9ade-b8f22b7266e1','clone',NULL,'queued',1,0,NULL,NULL,'2024-01-01T03:35:01.682507Z',NULL,'2024-01-01T03:43:58.648820Z','no luck yet',NULL);
INSERT INTO job_queue VALUES('01a215eb-c142-772e-b56f-734c5b7f170d','01a215eb-c141-74eb-883d-6f2ed02c2854','one','handle','01a215eb-c141-74eb-883d-6f2fce092995','01a215eb-c141-74eb-883d-6f2ed02c2854','line','2024-01-01T03:35:01.697943Z',4,'01a215eb-c142-772e-b56f-734b6d0c07a4','one',NULL,'clone',NULL,'succeeded',1,0,NULL,NULL,'2024-01-01T03:35:01.703071Z','2024-01-01T03:35:01.715770Z',NULL,NULL,'01a215eb-c153-7145-964e-45ee27c7e256');
INSERT INTO job_queue VALUES('01a215eb-c153-7145-964e-45f0151f8277','01a215eb-c141-74eb-883d-6f2ed02c2854','two','handle','01a215eb-c153-7145-964e-45ee27c7e256','01a215eb-c153-7145-964e-45efd1428b4e','one','2024-01-01T03:35:01.715819Z',4,'01a215eb-c142-772e-b56f-734b6d0c07a4','two','01a215eb-c142-772e-b56f-734c5b7f170d','clone',NULL,'running',1,0,'01a215eb-c0ca-7001-93d5-e89835814574','2024-01-01T03:36:01.717424Z','2024-01-01T03:35:01.717424Z',NULL,NULL,NULL,NULL);
INSERT INTO job_queue VALUES('01a215eb-c158-7014-8c67-1e14c6d88cc9','01a215eb-c158-7014-8c67-1e1118399a0c','one','handle','01a215eb-c158-7014-8c67-1e128b7c8b91','01a215eb-c158-7014-8c67-1e1118399a0c','wide','2024-01-01T03:35:01.720151Z',4,'01a215eb-c158-7014-8c67-1e1323f6e17e','one',NULL,'clone',NULL,'succeeded',1,0,NULL,NULL,'2024-01-01T03:35:01.722169Z','2024-01-01T03:35:01.729714Z',NULL,NULL,'01a215eb-c161-7752-88b0-423f58b70401');
INSERT INTO job_queue VALUES('01a215eb-c15b-70e8-8431-cb2030ac982b','01a215eb-c15b-70e8-8431-cb1dccceb6e8','fan','handle','01a215eb-c15b-70e8-8431-cb1eb9e57e85','01a215eb-c15b-70e8-8431-cb1dccceb6e8','fan','2024-01-01T03:35:01.723369Z',4,'01a215eb-c15b-70e8-8431-cb1ffcc9bf19','fan',NULL,'clone',NULL,'succeeded',1,0,NULL,NULL,'2024-01-01T03:35:01.725571Z','2024-01-01T03:35:01.731808Z',NULL,NULL,'01a215eb-c163-7326-ab0e-be9f93777dd4');
INSERT INTO job_queue VALUES('01a215eb-c161-7752-88b0-424110631ed1','01a215eb-c158-7014-8c67-1e1118399a0c','two','handle','01a215eb-c161-7752-88b0-423f58b70401','01a215eb-c161-7752-88b0-4240b28cad56','one','2024-01-01T03:35:01.729759Z',4,'01a215eb-c158-7014-8c67-1e1323f6e17e','two','01a215eb-c158-7014-8c67-1e14c6d88cc9','clone',NULL,'queued',0,0,NULL,NULL,NULL,NULL,NULL,NULL,NULL);
INSERT INTO job_queue VALUES('01a215eb-c161-7752-88b0-4242f5450e1c','01a215eb-c158-7014-8c67-1e1118399a0c','three','handle','01a215eb-c161-7752-88b0-423f58b70401','01a215eb-c161-7752-88b0-4240b28cad56','one','2024-01-01T03:35:01.729759Z',4,'01a215eb-c158-7014-8c67-1e1323f6e17e','tail/three','01a215eb-c158-7014-8c67-1e14c6d88cc9','copy',NULL,'succeeded',1,0,NULL,NULL,'2024-01-01T03:35:01.731130Z','2024-01-01T03:35:01.751961Z',NULL,NULL,'01a215eb-c178-71ab-90a7-74ee931b4759');
INSERT INTO job_queue VALUES('01a215eb-c163-7326-ab0e-bea35aa426de','01a215eb-c15b-70e8-8431-cb1dccceb6e8','two','handle','01a215eb-c163-7326-ab0e-bea1df682de6','01a215eb-c163-7326-ab0e-bea0a7cc697f','fan','2024-01-01T03:35:01.731846Z',4,'01a215eb-c163-7326-ab0e-bea291bc74cc','two','01a215eb-c15b-70e8-8431-cb2030ac982b','clone',NULL,'queued',0,0,NULL,NULL,NULL,NULL,NULL,NULL,NULL);
INSERT INTO job_queue VALUES('01a215eb-c163-7326-ab0e-bea77bf00fcb','01a215eb-c15b-70e8-8431-cb1dccceb6e8','two','handle','01a215eb-c163-7326-ab0e-bea51ed3a144','01a215eb-c163-7326-ab0e-bea4d8ce6d9a','fan','2024-01-01T03:35:01.731846Z',4,'01a215eb-c163-7326-ab0e-bea68e666775','two','01a215eb-c15b-70e8-8431-cb2030ac982b','clone',NULL,'queued',0,0,NULL,NULL,NULL,NULL,NULL,NULL,NULL);
INSERT INTO job_queue VALUES('01a215eb-c178-71ab-90a7-74f048727042','01a215eb-c158-7014-8c67-1e1118399a0c','one','handle','01a215eb-c178-71ab-90a7-74ee931b4759','01a215eb-c178-71ab-90a7-74ef7f1b00d1','three','2024-01-01T03:35:01.752006Z',4,'01a215eb-c158-7014-8c67-1e1323f6e17e','tail/last','01a215eb-c161-7752-88b0-4242f5450e1c','clone',NULL,'succeeded',1,0,NULL,NULL,'2024-01-01T03:35:01.753457Z','2024-01-01T03:35:01.766832Z',NULL,NULL,'01a215eb-c186-7413-ae1d-ac6f02ec5a84');
CREATE INDEX job_queue_chain ON job_queue (chain_id);
CREATE UNIQUE INDEX job_queue_child ON job_queue (
    source_event_id, coalesce(run_id, ''), coalesce(step_id, ''), coalesce(parent_job_id, '')
);
CREATE INDEX job_queue_ready ON job_queue (plugin, created_at, id, next_retry_at)
    WHERE status = 'queued' AND next_retry_at IS NULL;
CREATE INDEX job_queue_running ON job_queue (plugin) WHERE status = 'running';
CREATE INDEX job_queue_unsuccessful ON job_queue (status, id)
    WHERE status IN ('failed', 'timed_out', 'cancelled');
CREATE INDEX job_queue_waiting ON job_queue (plugin, next_retry_at, id)
    WHERE status = 'queued' AND next_retry_at IS NOT NULL;

DROP TABLE IF EXISTS pipeline_run;
CREATE TABLE pipeline_run (
    id            TEXT NOT NULL PRIMARY KEY,
    chain_id      TEXT NOT NULL REFERENCES event (id),
    pipeline_name TEXT NOT NULL,
    pipeline_hash TEXT NOT NULL REFERENCES pipeline_version (hash),
    event_id      TEXT NOT NULL REFERENCES event (id),
    depth         INTEGER NOT NULL CHECK (depth >= 1),
    created_at    TEXT NOT NULL,
    parent_run_id TEXT REFERENCES pipeline_run (id),
    parent_job_id TEXT REFERENCES job_queue (id),
    status        TEXT NOT NULL CHECK (status IN ('running', 'succeeded', 'failed')),
    open_jobs     INTEGER NOT NULL CHECK (open_jobs >= 0),
    completed_at  TEXT,
    reason        TEXT,
    CONSTRAINT a_terminal_run_has_a_completion_time
        CHECK ((status <> 'running') = (completed_at IS NOT NULL)),
    CONSTRAINT a_terminal_run_has_no_open_job
        CHECK (status = 'running' OR open_jobs = 0),
    CONSTRAINT a_failed_run_has_a_reason
        CHECK (status = 'running' OR (status = 'failed') = (reason IS NOT NULL))
) STRICT;
INSERT INTO pipeline_run VALUES('01a215eb-c0d7-76b1-8d6d-9c6a1b7cdd17','01a215eb-c0d7-76b1-8d6d-9c6829574fe8','line','blake3:ee4326b27ed60a477637dae0b50d892ca0aff8ba4155057fad04ddf8411e7d5a','01a215eb-c0d7-76b1-8d6d-9c6829574fe8',1,'2024-01-01T03:35:01.591421Z',NULL,NULL,'succeeded',0,'2024-01-01T03:35:01.656352Z',NULL);
INSERT INTO pipeline_run VALUES('01a215eb-c11b-7000-9ade-b8f1a6e874b5','01a215eb-c11b-7000-9ade-b8ef9b45133a','retry','blake3:ee7a605252f09aeb484a39e8cd8a8f541dda364457d7a69fe17852bc7c065eb1','01a215eb-c11b-7000-9ade-b8ef9b45133a',1,'2024-01-01T03:35:01.659027Z',NULL,NULL,'running',1,NULL,NULL);
INSERT INTO pipeline_run VALUES('01a215eb-c142-772e-b56f-734b6d0c07a4','01a215eb-c141-74eb-883d-6f2ed02c2854','line','blake3:ee4326b27ed60a477637dae0b50d892ca0aff8ba4155057fad04ddf8411e7d5a','01a215eb-c141-74eb-883d-6f2ed02c2854',1,'2024-01-01T03:35:01.697943Z',NULL,NULL,'running',1,NULL,NULL);
INSERT INTO pipeline_run VALUES('01a215eb-c158-7014-8c67-1e1323f6e17e','01a215eb-c158-7014-8c67-1e1118399a0c','wide','blake3:e6028ab6166bc9612518ca612676840596aa3b172e7c68e01024b46cc6fd2de0','01a215eb-c158-7014-8c67-1e1118399a0c',1,'2024-01-01T03:35:01.720151Z',NULL,NULL,'running',1,NULL,NULL);
INSERT INTO pipeline_run VALUES('01a215eb-c15b-70e8-8431-cb1ffcc9bf19','01a215eb-c15b-70e8-8431-cb1dccceb6e8','fan','blake3:413c8226b8b537bb5002c942881c8af385b79717605f0545a32b14a3e77d8bb5','01a215eb-c15b-70e8-8431-cb1dccceb6e8',1,'2024-01-01T03:35:01.723369Z',NULL,NULL,'succeeded',0,'2024-01-01T03:35:01.731808Z',NULL);
INSERT INTO pipeline_run VALUES('01a215eb-c163-7326-ab0e-bea291bc74cc','01a215eb-c15b-70e8-8431-cb1dccceb6e8','part','blake3:529ae67ed97801eb7924e6917508fe11203085fbeac6d55bc19a82d030cdeffd','01a215eb-c163-7326-ab0e-bea0a7cc697f',2,'2024-01-01T03:35:01.731846Z','01a215eb-c15b-70e8-8431-cb1ffcc9bf19','01a215eb-c15b-70e8-8431-cb2030ac982b','running',1,NULL,NULL);
INSERT INTO pipeline_run VALUES('01a215eb-c163-7326-ab0e-bea68e666775','01a215eb-c15b-70e8-8431-cb1dccceb6e8','part','blake3:529ae67ed97801eb7924e6917508fe11203085fbeac6d55bc19a82d030cdeffd','01a215eb-c163-7326-ab0e-bea4d8ce6d9a',2,'2024-01-01T03:35:01.731846Z','01a215eb-c15b-70e8-8431-cb1ffcc9bf19','01a215eb-c15b-70e8-8431-cb2030ac982b','running',1,NULL,NULL);
CREATE INDEX pipeline_run_chain ON pipeline_run (chain_id);

DROP TABLE IF EXISTS pipeline_version;
CREATE TABLE pipeline_version (
    hash       TEXT NOT NULL PRIMARY KEY,
    name       TEXT NOT NULL,
    definition TEXT NOT NULL,
    created_at TEXT NOT NULL
) STRICT;
INSERT INTO pipeline_version VALUES('blake3:ee4326b27ed60a477637dae0b50d892ca0aff8ba4155057fad04ddf8411e7d5a','line','{"entries":["one"],"format":1,"name":"line","on":"line.begun","steps":{"one":{"command":"handle","next":["two"],"plugin":"one"},"three":{"command":"handle","plugin":"three"},"two":{"command":"handle","next":["three"],"plugin":"two","timeout":"5m"}}}','2024-01-01T03:35:01.591421Z');
INSERT INTO pipeline_version VALUES('blake3:ee7a605252f09aeb484a39e8cd8a8f541dda364457d7a69fe17852bc7c065eb1','retry','{"entries":["one"],"format":1,"name":"retry","on":"retry.begun","steps":{"flaky":{"command":"handle","plugin":"flaky"},"one":{"command":"handle","next":["flaky"],"plugin":"one"}}}','2024-01-01T03:35:01.659027Z');
INSERT INTO pipeline_version VALUES('blake3:e6028ab6166bc9612518ca612676840596aa3b172e7c68e01024b46cc6fd2de0','wide','{"entries":["one"],"format":1,"name":"wide","on":"wide.begun","steps":{"one":{"command":"handle","next":["two","tail/three"],"plugin":"one"},"tail/last":{"command":"handle","plugin":"one"},"tail/three":{"command":"handle","next":["tail/last"],"plugin":"three","workspace":"copy"},"two":{"command":"handle","plugin":"two"}}}','2024-01-01T03:35:01.720151Z');
INSERT INTO pipeline_version VALUES('blake3:413c8226b8b537bb5002c942881c8af385b79717605f0545a32b14a3e77d8bb5','fan','{"entries":["fan"],"format":1,"name":"fan","on":"fan.begun","steps":{"fan":{"command":"handle","plugin":"fan"}}}','2024-01-01T03:35:01.723369Z');
INSERT INTO pipeline_version VALUES('blake3:529ae67ed97801eb7924e6917508fe11203085fbeac6d55bc19a82d030cdeffd','part','{"entries":["two"],"format":1,"name":"part","on":"part.made","steps":{"two":{"command":"handle","plugin":"two"}}}','2024-01-01T03:35:01.731808Z');
CREATE TRIGGER pipeline_version_is_never_changed BEFORE UPDATE ON pipeline_version
BEGIN SELECT RAISE (ABORT, 'a row of pipeline_version is immutable'); END;
CREATE TRIGGER pipeline_version_is_never_deleted BEFORE DELETE ON pipeline_version
BEGIN SELECT RAISE (ABORT, 'a row of pipeline_version is immutable'); END;

DROP TABLE IF EXISTS plugin_state;
CREATE TABLE plugin_state (
    plugin     TEXT NOT NULL PRIMARY KEY,
    state      TEXT NOT NULL,
    updated_at TEXT NOT NULL
) STRICT;
INSERT INTO plugin_state VALUES('one','{"one":true}','2024-01-01T03:35:01.766832Z');
INSERT INTO plugin_state VALUES('two','{"two":true}','2024-01-01T03:35:01.635096Z');
INSERT INTO plugin_state VALUES('three','{"three":true}','2024-01-01T03:35:01.751961Z');

DROP TABLE IF EXISTS schema_version;
CREATE TABLE schema_version (
    version    INTEGER NOT NULL PRIMARY KEY,
    name       TEXT NOT NULL,
    applied_at TEXT NOT NULL
) STRICT;
INSERT INTO schema_version VALUES(1,'initial','2024-01-01T03:35:01.567612Z');

COMMIT TRANSACTION;
