#!/bin/sh
# Emits three events.
cat >/dev/null
cat <<'END'
{"status":"ok","result":"three","events":[
 {"type":"number.found","payload":{"number":1}},
 {"type":"number.found","payload":{"number":2}},
 {"type":"number.found","payload":{"number":3}}],
 "state_updates":{"found":3}}
END
