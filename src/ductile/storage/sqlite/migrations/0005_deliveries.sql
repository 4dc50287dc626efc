-- The inbox: every request to a webhook endpoint, and what became of it; never its body, which is
-- the payload of the event where there is one.
CREATE TABLE delivery (
    id          TEXT NOT NULL PRIMARY KEY,
    received_at TEXT NOT NULL,
    endpoint    TEXT NOT NULL,
    scheme      TEXT NOT NULL,
    verdict     TEXT NOT NULL CHECK (
        verdict IN ('accepted', 'repeated', 'handshake', 'refused', 'resent')
    ),
    status      INTEGER,
    reason      TEXT,
    -- What the sender calls it.
    delivery_id TEXT,
    size        INTEGER CHECK (size >= 0),
    event_id    TEXT REFERENCES event (id),
    CONSTRAINT what_was_let_in_has_an_event
        CHECK ((verdict IN ('accepted', 'repeated', 'resent')) = (event_id IS NOT NULL)),
    CONSTRAINT what_was_refused_has_a_reason
        CHECK (verdict <> 'refused' OR reason IS NOT NULL),
    CONSTRAINT what_was_sent_was_answered
        CHECK ((verdict = 'resent') = (status IS NULL))
) STRICT, WITHOUT ROWID;
-- Of these only so many are kept of each endpoint; what is accepted never touches it.
CREATE INDEX delivery_started_nothing ON delivery (endpoint, id)
    WHERE verdict IN ('repeated', 'handshake', 'refused');

CREATE TRIGGER delivery_is_never_changed BEFORE UPDATE ON delivery
BEGIN SELECT RAISE (ABORT, 'a row of delivery is immutable'); END;
