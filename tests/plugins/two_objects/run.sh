#!/bin/sh
# Prints two answers.
cat >/dev/null
echo '{"status":"ok","result":"first"}'
echo '{"status":"ok","result":"second"}'
