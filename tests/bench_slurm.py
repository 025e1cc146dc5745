"""./dev bench slurm: trivial jobs run to completion on one real Slurm cluster, by Slurm's own sbatch and
through Ampacity, turn about in one run. Overhead per job: what Ampacity adds before slurmctld has the job,
and after slurmctld knows its end, by slurmctld's own log (both ways start on the scheduler's next turn)."""

import concurrent.futures
import datetime
import json
import os
import platform
import re
import statistics
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "journeys"))
from cloud import expect  # noqa: E402
from slurm_lab import Lab, need_slurm  # noqa: E402


def argument(name, default):
    return int(sys.argv[sys.argv.index(name) + 1]) if name in sys.argv else default


need_slurm()
count, rounds, turns = argument("--jobs", 200), argument("--rounds", 20), argument("--turns", 3)
nodes, gpus = argument("--nodes", 4), argument("--gpus", 8)


def log_times(lab, what):
    """Of each job's number, when slurmctld wrote that line."""
    found = {}
    pattern = re.compile(r"^\[([^\]]+)\] " + what.replace("#", r"(\d+)"))
    for line in open(os.path.join(lab.dir, "log/ctld.log"), errors="replace"):
        m = pattern.match(line)
        if m:
            found[int(m.group(2))] = datetime.datetime.fromisoformat(m.group(1) + "+00:00").timestamp()
    return found


class Plain:
    """sbatch, as the cluster's user, without Ampacity in between."""

    def __init__(self, lab, reservation):
        self.lab = lab
        environment = {"PATH": os.environ["PATH"], "SLURM_CONF": f"{lab.dir}/etc/slurm.conf", "HOME": lab.dir}
        self.options = {"env": environment, "cwd": "/", "stdin": subprocess.DEVNULL, "capture_output": True,
                        "text": True, "check": True}
        owner = os.stat(lab.dir).st_uid
        if os.geteuid() == 0 and owner != 0:
            self.options.update(user=owner, group=os.stat(lab.dir).st_gid, extra_groups=[])
        self.arguments = ["sbatch", "--parsable", "-n1", "--gres=gpu:1", "--mem=64", "-o", "/dev/null",
                          f"--reservation={reservation}", "--wrap", "true"]

    def one(self):
        return int(subprocess.run(self.arguments, **self.options).stdout)

    def left(self):
        return subprocess.run(["squeue", "-h", "-o", "%i"], **self.options).stdout.split()

    def many(self, n):
        began = time.monotonic()
        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            list(pool.map(lambda _: self.one(), range(n)))
        while self.left():
            time.sleep(0.1)
        return n / (time.monotonic() - began)


def request():
    return {"resources": {"gpus": "h100:1", "memory": "64MiB"}}


def through_ampacity(cloud, n):
    began = time.monotonic()
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: cloud.submit("true", **request()), range(n)))
    while cloud.ok("GET", "/v1/jobs?limit=1")["items"]:
        time.sleep(0.1)
    return n / (time.monotonic() - began)


with Lab(nodes, gpus) as lab, lab.cloud() as cloud:
    shown = lab.run("scontrol", "-o", "show", "res")
    plain = Plain(lab, re.search(r"ReservationName=(\S+)", shown).group(1))
    cloud.wait(cloud.submit("true", **request()))
    plain.many(1)

    ours, theirs = [], []
    for _ in range(turns):
        theirs.append(plain.many(count))
        ours.append(through_ampacity(cloud, count))

    asked, seen, plain_asked = {}, {}, {}
    for _ in range(rounds):
        at = time.time()
        plain_asked[plain.one()] = at
        while plain.left():
            time.sleep(0.05)
        at = time.time()
        job = cloud.submit("true", **request())
        while cloud.job(job)["state"] != "ended":
            time.sleep(0.004)
        over = time.time()
        number = int(open(f"{lab.dir}/shared/markers/{job}-1-0").read().split()[2])
        asked[number], seen[number] = at, over

    while plain.left():  # the last end is in slurmctld's log, too
        time.sleep(0.1)
    got = log_times(lab, r"_slurm_rpc_submit_batch_job: JobId=#")
    done = log_times(lab, r"_job_complete: JobId=# done")
    before_plain = statistics.median((got[i] - at) * 1000 for i, at in plain_asked.items())
    before = [(got[i] - at) * 1000 for i, at in asked.items()]
    after = [(seen[i] - done[i]) * 1000 for i in asked]
    overhead = [b - before_plain + max(0.0, a) for b, a in zip(before, after)]
    cloud.check_books()
    ratio = [o / t for o, t in zip(ours, theirs)]
    expect(len(done) >= turns * count, "slurmctld's log is not what was expected")
    print(json.dumps({
        "bench": "slurm", "jobs": count, "turns": turns, "slots": nodes * gpus,
        "ampacity_jobs_per_s": round(statistics.median(ours), 1),
        "sbatch_jobs_per_s": round(statistics.median(theirs), 1),
        "throughput_ratio": round(statistics.median(ratio), 3),
        "throughput_ratios": [round(r, 3) for r in ratio],
        "overhead_ms_p50": round(statistics.median(overhead), 1),
        "ampacity_to_slurmctld_ms_p50": round(statistics.median(before), 1),
        "sbatch_to_slurmctld_ms_p50": round(before_plain, 1),
        "end_seen_after_slurmctld_ms_p50": round(statistics.median(after), 1), "rounds": rounds,
        "cpus": os.cpu_count(), "compiler": platform.python_compiler(),
        "commit": subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True,
                                 text=True, check=False).stdout.strip()}))
