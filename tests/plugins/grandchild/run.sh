#!/bin/sh
# Answers and leaves a grandchild behind that holds stdout; its pid is the result.
sleep infinity &
printf '{"status":"ok","result":"%s"}' "$!"
