#!/bin/sh
# One rank of a gang, in plain busybox sh: every rank says who it is, then sends rank 0 a line over
# the gang's own network; rank 0 ends well only when it has heard from all the others.
#
# Any start order will do: a worker knocks until rank 0 answers, at most TRIES times, a second
# apart, and rank 0 waits as long. Delivery is proved, not assumed: rank 0 answers what it received
# and the worker compares.
set -u

rank=${AMPACITY_RANK:?not a gang: AMPACITY_RANK is missing}
size=${AMPACITY_SIZE:?}
master=${MASTER_ADDR:?}
port=${MASTER_PORT:?}
TRIES=${TRIES:-60}
inbox=$(mktemp -d)
trap 'rm -rf "$inbox"' EXIT

heard() {  # how many ranks have spoken so far
  set -- "$inbox"/from-*
  if [ -e "$1" ]; then echo $#; else echo 0; fi
}
say() { echo "rank $rank: $*"; }

say "of $size on $(hostname), GPUs (emulated): ${AMPACITY_GPUS:-none}"
say "peers: ${AMPACITY_PEERS:-none}; meeting at $master:$port"
say "torchrun's names: RANK=${RANK:-} WORLD_SIZE=${WORLD_SIZE:-};" \
  "Slurm's: SLURM_PROCID=${SLURM_PROCID:-} SLURM_NTASKS=${SLURM_NTASKS:-}" \
  "SLURM_NNODES=${SLURM_NNODES:-} SLURM_NODEID=${SLURM_NODEID:-}"
if [ "$rank" != "${RANK:-}" ] || [ "$size" != "${WORLD_SIZE:-}" ] ||
  [ "$rank" != "${SLURM_PROCID:-}" ] || [ "$size" != "${SLURM_NTASKS:-}" ]; then
  say "the names disagree"
  exit 1
fi

# Run by nc for each connection: files the worker's line under its rank and answers it.
if [ "$rank" = 0 ]; then
  cat >"$inbox/answer" <<EOF
#!/bin/sh
read -r word from rest || exit 0
case "\$word \$from" in
  "hello "*[!0-9]* | "hello ") exit 0 ;;
  "hello "*) echo "\$rest" >"$inbox/from-\$from"; echo "heard \$from \$rest" ;;
esac
EOF
  chmod +x "$inbox/answer"
  nc -ll -p "$port" -e "$inbox/answer" &
  server=$!
  tries=0
  while [ "$(heard)" -lt $((size - 1)) ]; do
    tries=$((tries + 1))
    if [ "$tries" -gt "$TRIES" ]; then
      say "heard from $(heard) of $((size - 1)) ranks, then gave up"
      kill "$server"
      exit 1
    fi
    sleep 1
  done
  for file in "$inbox"/from-*; do
    [ -e "$file" ] && say "rank ${file##*-} says: $(cat "$file")"
  done
  sleep 1 # the last answer may still be on its way
  kill "$server"
  say "heard from all $((size - 1)) others"
  exit 0
fi

message="hello $rank from $(hostname) with ${AMPACITY_GPUS:-no GPUs}"
tries=0
knock() { echo "$message" | timeout 5 nc "$master" "$port" 2>/dev/null; }
until [ "$(knock)" = "heard ${message#hello }" ]; do
  tries=$((tries + 1))
  if [ "$tries" -ge "$TRIES" ]; then
    say "no answer from $master:$port in $TRIES tries"
    exit 1
  fi
  sleep 1
done
say "rank 0 confirmed my message"
