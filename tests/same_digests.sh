#!/usr/bin/env bash
# The same seed is the same run, whichever compiler made the program (reference I23):
# `same_digests.sh ONE OTHER`, two builds of ampacity-sim.
set -u
one=$1 other=$2 differs=0

for program in "$one" "$other"; do
  [ -x "$program" ] || { echo "no $program: there is nothing to compare"; exit 77; }
done

compare() {
  local a b
  a=$("$one" "$@" | grep -oE 'digest[" :]+[0-9a-f]{16}')
  b=$("$other" "$@" | grep -oE 'digest[" :]+[0-9a-f]{16}')
  if [ -n "$a" ] && [ "$a" = "$b" ]; then
    echo "ampacity-sim $*: $a by both"
  else
    echo "ampacity-sim $*: '$a' by $one, '$b' by $other"
    differs=1
  fi
}

compare --chaos --seeds 12
compare --year --gpus 400 --days 20
exit "$differs"
