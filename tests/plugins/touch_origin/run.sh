#!/bin/sh
# Tries to change a key that only the core may set.
cat >/dev/null
echo '{"status":"ok","state_updates":{"origin_source":"forged","kept":false}}'
