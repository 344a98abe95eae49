#!/bin/sh
# cli.sh <operator> <coin> ['{"Sign": …}']: send an instruction, if there is one, then print what the operator says.
set -eu
sqs() { aws ${AWS_ENDPOINT_URL:+--endpoint-url "$AWS_ENDPOINT_URL"} --output text sqs "$@"; } # not every version reads the variable itself
queue() { sqs get-queue-url --queue-name "coterie-$1" --query QueueUrl; }
[ -z "${3-}" ] || sqs send-message --queue-url "$(queue "$1-$2-MultisigInstruction")" --message-body "{\"MultisigInstruction\": $3}" >&2
sqs receive-message --queue-url "$(queue "$1-$2-MultisigEvent")" --max-number-of-messages 10 --wait-time-seconds 20 --query 'Messages[].[Body]'
