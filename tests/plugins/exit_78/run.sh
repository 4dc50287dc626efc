#!/bin/sh
# Ends with the exit code for wrong configuration.
cat >/dev/null
echo 'no token is configured' >&2
exit 78
