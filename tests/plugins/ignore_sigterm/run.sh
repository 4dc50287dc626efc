#!/bin/sh
# Ends only when it is killed. Says on the FIFO $GATE/started that it runs.
trap '' TERM
[ -z "$GATE" ] || echo up >"$GATE/started"
exec sleep infinity
