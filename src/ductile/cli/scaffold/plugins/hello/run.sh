#!/bin/sh
# A plugin reads one JSON object from stdin and writes one to stdout. Files that it leaves in its
# working directory, the job's workspace, are there for the steps that follow.
set -eu

request=$(cat)

greet() {
    echo 'Hello from a pipeline.' >greeting.txt
    # What is in state_updates is known to all later steps, as the chain's baggage.
    echo '{"status": "ok", "result": "wrote greeting.txt", "state_updates": {"language": "en"}}'
}

sign() {
    # Always a new file: those that came with the workspace are shared with the step before.
    { cat greeting.txt; echo 'Yours, Ductile'; } >letter.txt
    echo '{"status": "ok", "result": "wrote letter.txt"}'
}

# The first "command" is the request's own; a real plugin in shell would ask jq.
command=${request#*'"command":"'}
case ${command%%'"'*} in
    sign) sign ;;
    *) greet ;;
esac
