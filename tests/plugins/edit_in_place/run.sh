#!/bin/sh
# Appends to every file that it finds in its workspace.
cat >/dev/null
for file in *; do
    [ -f "$file" ] || continue
    chmod u+w "$file"
    echo 'changed in place' >>"$file"
done
echo '{"status":"ok","result":"edited"}'
