#!/bin/sh
# Answers that it failed.
cat >/dev/null
echo 'details for people' >&2
echo '{"status":"error","error":"it failed on purpose"}'
exit 1
