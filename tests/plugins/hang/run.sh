#!/bin/sh
# Never ends by itself. Says on the FIFO $GATE/started that it runs, if GATE is set.
[ -z "$GATE" ] || echo up >"$GATE/started"
exec sleep infinity
