#!/usr/bin/env bash
# A real Slurm cluster on this machine, all of it in one folder, on ports and sockets of its own:
# munged, slurmctld, one slurmd a node, slurmrestd. Its GPUs are EMULATED: each is a terminal device
# under another name, and every node carries the feature `emulated`.
#   cluster.sh up DIR [--nodes 2] [--gpus 8] [--type h100] [--cpus 128] [--memory-mib 1048576]
#                     [--min-job-age 300]     prints what to do next
#   cluster.sh down DIR                       ends every process of it and removes DIR
#   cluster.sh status DIR                     what answers; exit 1 if a part does not
#   cluster.sh start|stop|kill DIR PART       PART: munged ctld restd jwtd, or a node's name (n1…)
#   cluster.sh saved DIR                      returns once slurmctld has kept all that it knows now
#   cluster.sh run DIR COMMAND…               as the cluster's user, with its slurm.conf
# Everything runs as one unprivileged user: who calls, or, for root, the packages' user `slurm`.
set -u

usage() { sed -n '5,12s/^# *//p' "$0" >&2; exit 2; }
die() { echo "cluster.sh: $*" >&2; exit 1; }
[ "$#" -ge 2 ] || usage
verb=$1
dir=$(realpath -m "$2")
shift 2

who=$(id -un)
[ "$who" != root ] || who=slurm
instead='' # not empty: in the place of this shell
as_user() {
  local run=()
  [ "$(id -un)" = "$who" ] || run=(setpriv --reuid "$who" --regid "$who" --clear-groups)
  ${instead:+exec} "${run[@]}" "$@"
}
# Given whole to each daemon: what the caller's environment says of another cluster must not count.
clean() { as_user env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME="$dir" TZ="${TZ:-}" SLURM_CONF="$dir/etc/slurm.conf" "$@"; }

pid_of() { cat "$dir/run/$1.pid" 2>/dev/null; }
# Whether that process is alive and of this folder: a number alone may be somebody else's by now.
alive() {
  local pid
  pid=$(pid_of "$1") && [ -n "$pid" ] && kill -0 "$pid" 2>/dev/null &&
    { tr '\0' ' ' <"/proc/$pid/cmdline"; tr '\0' '\n' <"/proc/$pid/environ"; } 2>/dev/null | grep -qF -- "$dir"
}
wait_for() { # TENTHS WHAT COMMAND…
  local tenths=$1 what=$2
  shift 2
  for (( ; tenths > 0; tenths--)); do "$@" && return; sleep 0.1; done
  die "never came: $what; see $dir/log"
}
free_ports() {
  /usr/bin/python3 -c 'import socket, sys
held = [socket.socket() for _ in range(int(sys.argv[1]))]
for s in held: s.bind(("127.0.0.1", 0))
print(*(s.getsockname()[1] for s in held))' "$1"
}
nodes_of() { sed -n 's/^NodeName=\(n[0-9]*\) .*/\1/p' "$dir/etc/slurm.conf"; }

# ---- what the folder holds ------------------------------------------------------------------------

nodes=2 gpus=8 kind=h100 cpus=128 memory=1048576 min_job_age=300

write_gres() {
  local n g first=8 # /dev/tty8…: any character device does, but /dev/null
  for ((n = 1; n <= nodes; n++)); do
    for ((g = 0; g < gpus; g++)); do
      echo "NodeName=n$n Name=gpu Type=$kind File=/dev/tty$((first + g))"
    done
  done
}

# Eight nodes to a leaf switch.
write_topology() {
  local leaf=1 n last switches=""
  for ((n = 1; n <= nodes; n += 8, leaf++)); do
    last=$((n + 7 < nodes ? n + 7 : nodes))
    echo "SwitchName=leaf-$leaf Nodes=n[$n-$last]"
    switches+="${switches:+,}leaf-$leaf"
  done
  [ "$leaf" = 2 ] || echo "SwitchName=spine Switches=$switches"
}

write_conf() {
  local ports n
  read -r -a ports <<<"$(free_ports $((nodes + 2)))"
  echo "${ports[1]}" >"$dir/run/jwtd.port"
  cat <<CONF
ClusterName=$(basename "$dir" | tr -cd 'a-z0-9' | tail -c 20)lab
SlurmctldHost=$(hostname)(127.0.0.1)
SlurmUser=$who
SlurmdUser=$who
SlurmctldPort=${ports[0]}
AuthType=auth/munge
CryptoType=crypto/munge
AuthInfo=socket=$dir/run/munge.socket,cred_expire=5
AuthAltTypes=auth/jwt
AuthAltParameters=jwt_key=$dir/etc/jwt.key
StateSaveLocation=$dir/state
SlurmdSpoolDir=$dir/spool/%n
SlurmctldPidFile=$dir/run/ctld.pid
SlurmdPidFile=$dir/run/%n.pid
SlurmctldLogFile=$dir/log/ctld.log
SlurmdLogFile=$dir/log/%n.log
PluginDir=/usr/lib/$(uname -m)-linux-gnu/slurm-wlm
PlugStackConfig=$dir/etc/plugstack.conf
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
MpiDefault=none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
SlurmdParameters=config_overrides
TopologyPlugin=topology/tree
GresTypes=gpu
ReturnToService=1
SlurmctldTimeout=60
SlurmdTimeout=60
MinJobAge=$min_job_age
KillWait=5
InactiveLimit=0
JobRequeue=0
SchedulerType=sched/backfill
SchedulerParameters=batch_sched_delay=0
CONF
  for ((n = 1; n <= nodes; n++)); do
    echo "NodeName=n$n NodeHostname=$(hostname) NodeAddr=127.0.0.1 Port=${ports[$((n + 1))]}" \
      "CPUs=$cpus Boards=1 SocketsPerBoard=1 CoresPerSocket=$cpus ThreadsPerCore=1 RealMemory=$memory Gres=gpu:$kind:$gpus" \
      "Feature=emulated State=UNKNOWN"
  done
  echo "PartitionName=main Nodes=n[1-$nodes] Default=YES MaxTime=INFINITE State=UP"
}

make_folder() {
  [ ! -e "$dir/etc/slurm.conf" ] || die "$dir holds a cluster already: down it first"
  [ ! -d "$dir" ] || [ -z "$(ls -A "$dir")" ] || die "$dir is not empty"
  mkdir -p "$dir"/{etc,run,log,state,spool,shared} || die "cannot make $dir"
  head -c 1024 /dev/urandom >"$dir/etc/munge.key"
  head -c 32 /dev/urandom >"$dir/etc/jwt.key"
  write_conf >"$dir/etc/slurm.conf"
  write_gres >"$dir/etc/gres.conf"
  write_topology >"$dir/etc/topology.conf"
  : >"$dir/etc/plugstack.conf"
  chmod 600 "$dir"/etc/*.key
  chmod 755 "$dir"
  [ "$(id -un)" = "$who" ] || chown -R "$who:" "$dir"
}

# ---- its parts --------------------------------------------------------------------------------------

# In the background, in a session of its own, its pid where pid_of looks.
launch() { # NAME COMMAND…
  local name=$1
  shift
  # shellcheck disable=SC2016  # the inner shell's own
  { instead=1; clean setsid bash -c 'echo $$ >"$0"; exec "$@"' "$dir/run/$name.pid" "$@"; } \
    >>"$dir/log/$name.out" 2>&1 </dev/null &
}

start() {
  ! alive "$1" || return 0
  case $1 in
    munged)
      launch munged munged --foreground --socket="$dir/run/munge.socket" --key-file="$dir/etc/munge.key" \
        --log-file="$dir/log/munged.log" --pid-file="$dir/run/munged.pid" --seed-file="$dir/run/munge.seed" \
        --num-threads=4 --force
      wait_for 100 "munged's socket" test -S "$dir/run/munge.socket"
      ;;
    ctld)
      launch ctld slurmctld -D
      wait_for 300 "slurmctld's answer" answers
      ;;
    restd)
      rm -f "$dir/run/restd.socket"
      launch restd env SLURMRESTD_SECURITY=disable_user_check slurmrestd -t 8 -s v0.0.36,v0.0.37,v0.0.38 \
        -a rest_auth/local "unix:$dir/run/restd.socket"
      wait_for 100 "slurmrestd's socket" test -S "$dir/run/restd.socket"
      ;;
    jwtd) # a second one: with a token's door open, the socket's requests reach slurmctld without a name
      launch jwtd env SLURM_JWT=daemon SLURMRESTD_SECURITY=disable_user_check slurmrestd -t 8 \
        -s v0.0.36,v0.0.37,v0.0.38 -a rest_auth/jwt "127.0.0.1:$(cat "$dir/run/jwtd.port")"
      ;;
    n[0-9]*) launch "$1" slurmd -D -N "$1" ;;
    *) die "no part $1" ;;
  esac
}

end_part() { # NAME SIGNAL
  local pid
  alive "$1" || return 0
  pid=$(pid_of "$1")
  kill "-$2" "$pid"
  for ((t = 0; t < 100; t++)); do kill -0 "$pid" 2>/dev/null || return 0; sleep 0.1; done
  kill -KILL "$pid"
}

answers() { clean scontrol ping 2>/dev/null | grep -q 'is UP'; }
all_idle() { [ "$(clean sinfo -h -N -t idle,alloc,mixed -o %N 2>/dev/null | sort -u | wc -l)" = "$(nodes_of | wc -l)" ]; }

# The steps of jobs live on without their slurmd: whatever was started with this cluster's slurm.conf goes.
sweep() {
  local pid pids signal
  for signal in TERM KILL KILL; do
    mapfile -t pids < <(grep -lsaF -- "SLURM_CONF=$dir/etc/slurm.conf" /proc/[0-9]*/environ | cut -d/ -f3)
    for pid in "${pids[@]}"; do
      [ "$pid" = "$$" ] || [ "$(stat -c %U "/proc/$pid" 2>/dev/null)" != "$who" ] ||
        kill "-$signal" "$pid" 2>/dev/null
    done
    sleep 0.2
  done
}

up() {
  while [ "$#" -gt 0 ]; do
    case $1 in
      --nodes) nodes=$2 ;;
      --gpus) gpus=$2 ;;
      --type) kind=$2 ;;
      --cpus) cpus=$2 ;;
      --memory-mib) memory=$2 ;;
      --min-job-age) min_job_age=$2 ;;
      *) usage ;;
    esac
    shift 2 || usage
  done
  for program in munged slurmctld slurmd slurmrestd scontrol; do
    PATH=$PATH:/usr/sbin command -v "$program" >/dev/null || die "$program is not installed: ./dev setup"
  done
  [ "${#dir}" -le 80 ] || die "$dir is too long for a socket's path"
  make_folder
  local part
  for part in munged ctld restd jwtd $(seq -f 'n%.0f' "$nodes"); do start "$part"; done
  wait_for 600 "every node idle" all_idle
  cat <<TEXT
a Slurm cluster of $nodes nodes with $gpus emulated $kind each, as $who, in $dir
  ampacity fleet site add slurm-1 --engine slurm --url unix:$dir/run/restd.socket -o shared=$dir/shared -o conf=$dir/etc/slurm.conf
  $0 run $dir squeue
  $0 down $dir
TEXT
}

down() {
  local part
  [ -e "$dir/etc/slurm.conf" ] || { [ ! -e "$dir" ] || die "$dir holds no cluster of ours"; return 0; }
  for part in restd jwtd $(nodes_of) ctld munged; do alive "$part" && kill -TERM "$(pid_of "$part")"; done
  sweep
  rm -rf "$dir"
}

status() {
  local part bad=0
  for part in munged ctld restd jwtd $(nodes_of); do
    if alive "$part"; then echo "$part runs, pid $(pid_of "$part")"; else echo "$part is DOWN"; bad=1; fi
  done
  clean sinfo -N -o '%N %T %G %f' || bad=1
  return "$bad"
}

# Killed before that it would give numbers away again, and drain a node over one used twice. A job
# that waits for ever goes in last: when the file has it, it has all that was before.
saved() {
  local mark=saved-$$-$RANDOM
  clean sbatch -H -J "$mark" -o /dev/null --wrap true >/dev/null || die "sbatch does not work"
  wait_for 300 "slurmctld's save" grep -qsF -- "$mark" "$dir/state/job_state"
  clean scancel -n "$mark"
}

case $verb in
  up) up "$@" ;;
  down) down ;;
  status) status ;;
  start) start "${1:?PART}" ;;
  stop) end_part "${1:?PART}" TERM ;;
  kill) end_part "${1:?PART}" KILL ;;
  saved) saved ;;
  run) clean "$@" ;;
  *) usage ;;
esac
