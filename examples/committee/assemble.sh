#!/bin/sh
# assemble.sh [folder]: alice, bob and carol, in three accounts of the emulator at AWS_ENDPOINT_URL, become a committee by the commands that each of them would type.
set -eu
: "${AWS_ENDPOINT_URL:?expected the address of an emulator, which npm run emulator starts and prints}"
export AWS_REGION=us-east-1 AWS_SECRET_ACCESS_KEY=test
checkout=$(cd "$(dirname "$0")/../.." && pwd)
mkdir -p "${1:-committee}"
folder=$(cd "${1:-committee}" && pwd)
cd "$checkout"

operators='alice:111111111111 bob:222222222222 carol:333333333333'
each() { for at in $operators; do name=${at%:*} AWS_ACCESS_KEY_ID=${at#*:} file=$folder/$name.json; export AWS_ACCESS_KEY_ID; "$@"; done; }
quietly() { # a long output, shown where it failed
  "$@" > "$folder/$name.log" 2>&1 || { cat "$folder/$name.log" >&2; return 1; }
}
say() { printf '\n%s: %s\n' "$name" "$*"; }
member() { # <committee hash, once there is one>
  printf '{ "identity": "%s", "account": "%s", "region": "%s", "clientRoles": ["arn:aws:iam::%s:root"], "coins": ["btc", "sol"]%s }\n' \
    "$name" "$AWS_ACCESS_KEY_ID" "$AWS_REGION" "$AWS_ACCESS_KEY_ID" "${1:+, \"committeeHash\": \"$1\"}" > "$file"
}
first() {
  say 'first deploy, without a committee'
  member
  quietly npx cdk bootstrap "aws://$AWS_ACCESS_KEY_ID/$AWS_REGION" -c stage=local -c "operator=$file"
  quietly npx coterie deploy --operator "$file" --stage local --yes
  npx coterie reconcile --operator "$file" # an emulator leaves out some settings of tables
  npx coterie start --operator "$file"
}
card() { # its functions make its keys: a moment
  say 'shows its card'
  until npx coterie card --operator "$file" --output "$folder/$name.card.json" 2> "$folder/$name.log"; do sleep 2; done
}
second() {
  say 'compares the hash, and deploys with it'
  npx coterie committee check "$folder/committee.json" --operator "$file" --card "$folder/$name.card.json"
  member "$hash"
  quietly npx coterie deploy --operator "$file" --committee "$folder/committee.json" --stage local --yes
  npx coterie reconcile --operator "$file"
}
accept() {
  say 'accepts the committee'
  npx coterie committee accept "$folder/committee.json" --operator "$file"
}

each first
each card
hash=$(npx coterie committee create "$folder/alice.card.json" "$folder/bob.card.json" "$folder/carol.card.json" --threshold 2 --network local --output "$folder/committee.json")
each second
each accept
