#!/usr/bin/env bash
# The first five minutes, really done: a one-machine cloud is founded, rented on, metered and checked.
# Called by `./dev demo`, which has built everything. --keep leaves it up.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
bin=${AMPACITY_BIN:-$PWD/build/default/bin}
images=${AMPACITY_IMAGES:-$PWD/build/images}
keep=no
[ "${1:-}" = --keep ] && keep=yes

dir=$(mktemp -d /var/tmp/ampacity-demo-XXXXXX)
export AMPACITY_CONFIG=$dir/config.json PATH=$bin:$PATH
unset AMPACITY_URL AMPACITY_KEY
server=

finish() {
  local status=$?
  [ "$keep" = yes ] && [ "$status" = 0 ] && return
  [ -n "$server" ] && kill "$server" 2>/dev/null && wait "$server" 2>/dev/null
  ampacityd --state "$dir/state" stop-engine >/dev/null 2>&1
  rm -rf "$dir"
  exit "$status"
}
trap finish EXIT

# Shows a command as a person would type it, then runs it.
say() { printf '\n\033[1m# %s\033[0m\n' "$*"; }
show() {
  printf '\033[1m$ %s\033[0m\n' "$*"
  "$@"
}
[ -t 1 ] || { say() { printf '\n# %s\n' "$*"; }; show() { printf '$ %s\n' "$*"; "$@"; }; }

say "A cloud on this machine: its CPUs, and two emulated nodes of eight H100"
setsid ampacityd --state "$dir/state" --listen 127.0.0.1:0 --port-file "$dir/port" \
  --owner-key-file "$dir/owner.key" --images "$images" --emulate h100:8x2 --quiet \
  >"$dir/ampacityd.log" 2>&1 </dev/null &
server=$!
for _ in $(seq 200); do
  [ -s "$dir/port" ] && break
  kill -0 "$server" 2>/dev/null || { cat "$dir/ampacityd.log"; exit 1; }
  sleep 0.05
done
[ -s "$dir/port" ] || { echo "ampacityd did not start:"; cat "$dir/ampacityd.log"; exit 1; }
url=http://127.0.0.1:$(cat "$dir/port")
ampacity login --url "$url" --key - <"$dir/owner.key"

say "The operator makes a customer, with a project, credit and a key"
show ampacity orgs add acme
show ampacity projects add demo --org acme
show ampacity users add ann --org acme
show ampacity credit add demo 25.00
key=$(ampacity --json keys add --project demo --user ann |
  python3 -c 'import json,sys; print(json.load(sys.stdin)["secret"])')
owner_config=$AMPACITY_CONFIG
export AMPACITY_CONFIG=$dir/customer.json
printf '%s\n' "$key" | ampacity login --url "$url" --key -

say "The customer: what is there, and what does it cost?"
show ampacity offers

say "A real training job in a real container (examples/train/job.yaml)"
show ampacity run -f examples/train/job.yaml

say "A gang of two emulated nodes; its ranks talk to each other over a network of their own"
show ampacity run -f examples/gang/gang.yaml

say "What it cost: the receipt and its transfers, usage, and the books"
show ampacity receipt digits
show ampacity usage --by sku

say "The invoice: issued for what was used so far, as a PDF, and worked out again from the facts"
export AMPACITY_CONFIG=$owner_config
show ampacity billing issuer --name "Ampacity Demo Cloud" --street "1 Busbar Road" --city Springfield \
  --country US --email billing@cloud.invalid --bank "IBAN DE89 3704 0044 0532 0130 00"
show ampacity billing org acme --name "Acme Research GmbH" --street "Forschungsweg 7" --city Berlin \
  --postal-code 10115 --country DE --tax-category O --tax-note "Demonstration, outside the scope of tax"
show ampacity invoices issue acme --until now
number=$(ampacity --json invoices | python3 -c 'import json,sys; print(json.load(sys.stdin)["items"][0]["number"])')
papers=$PWD/build/demo
mkdir -p "$papers"
show ampacity invoices get "$number" -o "$papers/invoice-$number.pdf"
show ampacity focus --month "$(date -u +%Y-%m)" -o "$papers/focus.csv"
show ampacity audit --month "$(date -u +%Y-%m)"
export AMPACITY_CONFIG=$dir/customer.json
echo "The invoice is kept: build/demo/invoice-$number.pdf"

if [ "$keep" = yes ]; then
  trap - EXIT
  cat <<TEXT

# It is still up. In a browser, as the customer (key: $key)
# or as the operator (key: $(cat "$dir/owner.key")):
$url/console/
# Here:
export AMPACITY_CONFIG=$AMPACITY_CONFIG PATH=$bin:\$PATH
ampacity run --image localhost/ampacity-tiny --cpus 1 --memory 64MiB -- sh -c 'echo hello from \$AMPACITY_NODE'
# To end it:
kill $server; sleep 2; ampacityd --state $dir/state stop-engine; rm -rf $dir
TEXT
fi
