#!/bin/sh
# Writes more than a pipe holds, then reads its input, then answers.
yes ' ' | head -c 1048576
cat >/dev/null
echo '{"status":"ok","result":"listened at last"}'
