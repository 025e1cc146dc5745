"""Rounds of faults drawn from a seed while jobs run: processes killed and frozen, the engine's socket
gone, the store's disk full, the clock stepped. After each, every job has ended as it should, once, billed
for what it ran, and nothing is left. `soak_journey.py ROUNDS SEED [FIRST]`; a round's own dice come from
the seed and its number: a failed one can be run again alone."""

import datetime
import http.client
import random
import signal
import sys
import time

from cloud import TINY, expect, need_podman
from faults import MAY_SAY, Rig, Running, draw

ROUNDS_A_CLOUD = 5
MOST_FAILED = 5
SLACK_S = 6  # by which a slow machine may make a job longer

GANG = {"gpus": "h100:1x2", "cpus": "0.1", "memory": "64MiB"}
ONE = {"cpus": "0.1", "memory": "64MiB"}


class Job:
    """What is submitted and how it must end. Each start leaves a line in a volume, and the number of
    lines is the job's first word: a second start would say 2, whoever made it."""

    def __init__(self, n, kind, run_s=0.0, code=0, **fields):
        self.name, self.kind, self.run_s, self.code = f"r{n}-{kind}", kind, run_s, code
        then = {"limited": "exec sleep 300",
                "stopped": "trap 'exit 7' TERM; while true; do sleep 0.05; done"
                }.get(kind, f"sleep {run_s:.2f}; echo end; exit {code}")
        script = f"echo start >> /v/starts.$RANK; wc -l < /v/starts.$RANK; {then}"
        self.body = {"image": TINY, "command": ["sh", "-c", script], "name": self.name,
                     "volumes": [f"{self.name}:/v"], "resources": ONE, **fields}
        self.id = None

    def log(self):
        lines = ["1"] if self.kind in ("limited", "stopped") else ["1", "end"]
        return sorted(lines * (2 if self.kind == "gang" else 1))


def draw_jobs(dice, n):
    jobs = [Job(n, f"job{i}", dice.uniform(0.1, 3.0), i) for i in range(3)]
    jobs.append(Job(n, "gang", dice.uniform(0.1, 2.0), resources=GANG))
    if dice.random() < 0.4:  # after a start its deadline waits ten seconds
        jobs.append(Job(n, "limited", 1.0, time="1s", grace="1s"))
    jobs.append(Job(n, "stopped", grace="2s"))
    late = Job(n, "late", dice.uniform(0.1, 1.0), 5)  # submitted while the fault is on
    return jobs, late


def insist(cloud, path, body, key, seconds=60, or_status=()):
    """As a careful customer: the same request with the same Idempotency-Key until it is answered."""
    end = time.monotonic() + seconds
    said = "nothing"
    while time.monotonic() < end:
        try:
            answer = cloud.call("POST", path, body, cloud.customer_key, {"Idempotency-Key": key}, timeout=3)
            if answer.status < 300 or answer.status in or_status:
                return answer.json
            said = f"{answer.status} {answer.text}"
            expect(answer.status in (429, 503, 507), f"POST {path}: {said}")
        except (OSError, http.client.HTTPException) as error:
            said = repr(error)
        time.sleep(0.1)
    raise AssertionError(f"POST {path} was never accepted: {said}")


def seconds_in_log(cloud, job):
    """From its first line to its last, by the engine's clock: on a slow machine more than it was to run,
    and for a gang with what lies between the starts of its ranks."""
    stamps = sorted(datetime.datetime.fromisoformat(event["at"][:26].rstrip("Z")) for event in cloud.log_events(job.id))
    return (stamps[-1] - stamps[0]).total_seconds() if stamps else 0.0


def check_receipt(cloud, job, seen, faults, billing_is_exact):
    receipt = cloud.receipt(job.id)
    intervals = receipt["intervals"]
    expect(receipt["posted_ticks"] == receipt["total_ticks"] and receipt["held_ticks"] == 0,
           f"{job.name}: the receipt does not add up: {receipt}")
    if seen["outcome"] in ("cancelled", "lost") and len(intervals) == 0:
        return  # before it had a place
    expect([i["generation"] for i in intervals] == [1], f"{job.name}: {intervals}")
    i = intervals[0]
    expect(i["billed_s"] + i["waived_s"] == i["observed_s"], f"{job.name}: {i}")
    if job.kind in ("limited", "stopped") or seen["outcome"] == "lost":
        return
    longest = max(job.run_s, seconds_in_log(cloud, job)) + SLACK_S + sum(f.lasts_s for f in faults)
    if job.kind == "gang":  # a step between the starts of two ranks is in what both took
        longest += sum(max(0, f.step_s) for f in faults if f.target == "clock")
    # A frozen podman notes a start only when it goes on.
    late_s = sum(f.lasts_s for f in faults if f.name == "freeze podman")
    shortest = max(1, int(job.run_s - late_s)) if billing_is_exact else 1
    expect(shortest <= i["billed_s"] <= longest,
           f"{job.name} ran {job.run_s:.2f} s and was billed {i['billed_s']} s: {receipt} {seen}")


def may_be_lost(faults):
    """podman died while it started one: how far it came, nobody knows. Or half an hour, in which a job
    must have started, was over at once."""
    return any(f.name == "kill podman" or (f.target == "clock" and f.step_s > 1800) for f in faults)


def check_job(cloud, job, faults, billing_is_exact):
    seen = cloud.wait(job.id)
    log = sorted(cloud.log(job.id))
    expect(seen["generation"] <= 1 and "2" not in log, f"{job.name} was started again: {log} {seen}")
    if seen["outcome"] == "lost" and may_be_lost(faults):
        pass
    elif job.kind == "stopped":
        expect(seen["outcome"] == "cancelled", f"{job.name}: stopped by its user: {seen}")
        expect(log in ([], ["1"]), f"{job.name}: its log is {log}")
    elif job.kind == "limited":
        expect(seen["outcome"] == "timed_out", f"{job.name}: it had a second: {seen}")
        expect(log == ["1"], f"{job.name}: its log is {log}")
    else:
        expect(seen["exit_code"] == job.code and seen["outcome"] in ("succeeded", "failed"),
               f"{job.name}: not exit code {job.code}: {seen}")
        expect(log == job.log(), f"{job.name}: its log is {log}")
    check_receipt(cloud, job, seen, faults, billing_is_exact)


def clean(check):
    """Whether a check passes, and else why not: it may take a moment until it does."""
    try:
        check()
        return ""
    except AssertionError as error:
        return str(error)


def settles(what, check, seconds=30):
    end = time.monotonic() + seconds
    while said := clean(check):
        expect(time.monotonic() < end, f"{what}, {seconds} s later: {said}")
        time.sleep(0.2)


def check_cloud(rig, n, jobs):
    cloud = rig.cloud
    expect(cloud.process.poll() is None, "ampacityd ended by itself")
    there = sorted(j["name"] for j in cloud.ok("GET", "/v1/jobs?all=1&limit=500")["items"]
                   if j["name"].startswith(f"r{n}-"))
    expect(there == sorted(j.name for j in jobs), f"submitted once each, and there are: {there}")
    live = [j["name"] for j in cloud.ok("GET", "/v1/jobs")["items"]]
    expect(not live, f"live after the round: {live}")

    def no_containers():
        left = cloud.podman("ps", "-a", "--format", "{{.Names}}").stdout.split()
        expect(not left, f"containers that nobody wants: {left}")
        # Each container has one: also those that podman has forgotten.
        minders = [argv[argv.index("-n") + 1] for _, argv in cloud.processes("conmon")]
        expect(not minders, f"processes that nobody wants, of {minders}")
    settles("not removed", no_containers)
    settles("not clean", cloud.check_doctor)
    cloud.check_books()
    total = sum(cloud.receipt(j["id"])["total_ticks"]
                for j in cloud.ok("GET", "/v1/jobs?all=1&limit=500")["items"])
    used = sum(t["amount_ticks"] for t in cloud.ok("GET", "/v1/usage?by=day")["totals"])
    expect(used == total, f"usage says {used} ticks, the receipts {total}")


def run_round(rig, n, dice, faults):
    cloud = rig.cloud
    jobs, late = draw_jobs(dice, n)
    dice.shuffle(jobs)
    stop_at_s, late_at_s = dice.uniform(0.0, 3.0), dice.uniform(0.0, 3.0)
    for job in jobs:
        job.id = insist(cloud, "/v1/jobs", job.body, job.name)["id"]
    began = time.monotonic()
    running = Running(rig, faults)
    try:
        stopped = next(job for job in jobs if job.kind == "stopped")
        stop = (stop_at_s, lambda: insist(cloud, f"/v1/jobs/{stopped.id}/stop", None, f"{stopped.name}-stop",
                                           or_status=(409,) if may_be_lost(faults) else ()))
        submit = (late_at_s, lambda: insist(cloud, "/v1/jobs", late.body, late.name))
        for at_s, act in sorted((stop, submit), key=lambda pair: pair[0]):
            time.sleep(max(0.0, began + at_s - time.monotonic()))
            answer = act()
            late.id = late.id or (answer["id"] if answer.get("name") == late.name else None)
    finally:
        running.wait()
    # A server that starts again past a step of the clock does not know how long ago a job began.
    exact = len(faults) == 1 or all(f.target != "clock" for f in faults)
    jobs.append(late)
    for job in jobs:
        check_job(cloud, job, faults, exact)
    check_cloud(rig, n, jobs)
    bad = rig.bad_log_lines()
    meant = [text for fault, text in MAY_SAY.items() if fault in [f.name for f in faults]]
    odd = [line for line in bad if not any(text in line for text in meant)]
    expect(not odd, f"in ampacityd's log: {odd}")
    return len(bad)


class Failed(Exception):
    """A round that failed: it is said, and the rest goes on with a cloud of its own."""


def what_became(cloud):
    """Of the jobs, in a failed round: as far as it can be asked."""
    try:
        words = ("name", "state", "outcome", "exit_code", "why")
        return "".join("  " + " ".join(f"{w}={j.get(w)!r}" for w in words) + "\n"
                       for j in cloud.ok("GET", "/v1/jobs?all=1&limit=10")["items"])
    except Exception as error:
        return f"  {error!r}\n"


def one_round(rig, n, seed):
    dice = random.Random(f"{seed}/{n}")
    faults = draw(dice, rig)
    text = "; ".join(map(str, faults))
    began = time.monotonic()
    try:
        refused = run_round(rig, n, dice, faults)
    except Exception as error:
        print(f"round {n} FAILED: {text}\n  {error!r}\n{what_became(rig.cloud)}"
              f"  again: python3 tests/journeys/soak_journey.py 1 {seed} {n}", flush=True)
        raise Failed from error
    said = f"; {refused} batches refused" if refused else ""
    print(f"round {n}: ok in {time.monotonic() - began:.1f} s: {text}{said}", flush=True)
    return [fault.name for fault in faults]


def soak(rounds, seed, first):
    n, failed, done = first, [], {}
    while n < first + rounds and len(failed) < MOST_FAILED:
        try:
            with Rig() as rig:
                if n == first:
                    for fault in rig.impossible():
                        print(f"not here: {fault}")
                for n in range(n, min(n + ROUNDS_A_CLOUD, first + rounds)):
                    for name in one_round(rig, n, seed):
                        done[name] = done.get(name, 0) + 1
                    if rig.worn_out:
                        break
        except Failed:
            failed.append(n)
        n += 1
    print(", ".join(f"{name} {times}" for name, times in sorted(done.items())))
    print(f"{n - first} rounds, seed {seed}, failed: {failed or 'none'}")
    return 1 if failed else 0


if __name__ == "__main__":
    numbers = [int(a) for a in sys.argv[1:]]
    need_podman()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that what it started is stopped
    # In the ten rounds of seed 343 every fault comes, the clock an hour back among them.
    sys.exit(soak(*(numbers + [10, 343, 0][len(numbers):])))
