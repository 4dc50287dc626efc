#!/bin/sh
# Writes a megabyte to stderr, then answers.
yes e | head -c 1048576 >&2
echo '{"status":"ok","result":"said much"}'
