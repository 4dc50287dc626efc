#!/bin/sh
# Answers with the request that it got, as the payload of an event.
printf '{"status":"ok","result":"echoed","events":[{"type":"echo.echoed","payload":{"request":'
cat
printf '}}]}'
