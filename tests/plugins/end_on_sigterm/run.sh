#!/bin/sh
# Ends by itself, with an answer, when it is asked to. Uses $GATE/started.
trap 'echo "{\"status\":\"ok\",\"result\":\"too late\"}"; exit 0' TERM
[ -z "$GATE" ] || echo up >"$GATE/started"
sleep infinity &
wait
