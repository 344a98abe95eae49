#!/bin/sh
# each.sh <folder> <command…>: one command of coterie for alice, bob and carol at once, each in its own account. What asks for something asks for one thing: by one
# request id, which expires at one time.
set -eu
: "${AWS_ENDPOINT_URL:?expected the address of an emulator, which npm run emulator starts and prints}"
export AWS_REGION=us-east-1 AWS_SECRET_ACCESS_KEY=test
folder=$1 && shift
case $1 in keygen | sign) set -- "$@" --request-id "0x$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')" --expires-at "$(($(date +%s) + 600))" ;; esac
for at in alice:111111111111 bob:222222222222 carol:333333333333; do
  name=${at%:*}
  AWS_ACCESS_KEY_ID=${at#*:} npx coterie "$@" --operator "$folder/$name.json" > "$folder/$name.log" 2>&1 &
  running="${running-} $name:$!"
done
status=0
for at in $running; do
  wait "${at#*:}" || status=$?
  printf '%s:\n' "${at%:*}" && sed 's/^/  /' "$folder/${at%:*}.log"
done
exit $status
