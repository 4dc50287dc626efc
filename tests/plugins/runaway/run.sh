#!/bin/sh
# Like grandchild, but the grandchild has left the process group.
setsid sleep infinity &
# Until it has its own session it would be killed with this group.
until [ "$(cut -d ' ' -f 5 "/proc/$!/stat")" = "$!" ]; do :; done
printf '{"status":"ok","result":"%s"}' "$!"
