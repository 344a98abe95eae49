#!/bin/sh
# cli.sh <operator> <coin> ['{"Sign": …}']: send an instruction, if there is one, then print what the operator says.
set -eu
queue() { aws sqs get-queue-url --queue-name "coterie-$1" --query QueueUrl --output text; }
[ -z "${3-}" ] || aws sqs send-message --queue-url "$(queue "$1-$2-MultisigInstruction")" --message-body "{\"MultisigInstruction\": $3}" >&2
aws sqs receive-message --queue-url "$(queue "$1-$2-MultisigEvent")" --max-number-of-messages 10 --wait-time-seconds 20 \
  --query 'Messages[].[Body]' --output text
