"""kill -9 of ampacityd at many moments while jobs run. Containers go on; at the restart they are
adopted; nothing is started twice, billed twice or lost; what ended meanwhile is billed to its end."""

import random
import sys
import time

from cloud import Cloud, expect, need_podman

rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 6
seed = int(sys.argv[2]) if len(sys.argv) > 2 else 1
need_podman()
dice = random.Random(seed)


def run_round(cloud, n):
    jobs = []
    # Each start leaves a line in a volume: a second start of the same generation would be seen.
    for i in range(3):
        length = dice.uniform(0.1, 3.0)
        volume = f"v{n}-{i}"
        script = f"echo start >> /v/starts; sleep {length:.2f}; echo end; cat /v/starts | wc -l; exit {i}"
        jobs.append((cloud.submit(script, volumes=[f"{volume}:/v"], name=f"r{n}-{i}"), length, i))
    jobs.append((cloud.submit("sleep 0.5; exit 4", name=f"r{n}-gang",
                              resources={"gpus": "h100:1x2", "cpus": "0.1", "memory": "64MiB"}), 0.5, 4))
    time.sleep(dice.uniform(0.0, 2.0))
    cloud.kill9()
    time.sleep(dice.uniform(0.0, 1.5))
    cloud.start()
    if dice.random() < 0.4:  # and once more, in the middle of taking things back
        time.sleep(dice.uniform(0.0, 0.4))
        cloud.kill9()
        cloud.start()
    for job, length, code in jobs:
        seen = cloud.wait(job)
        expect(seen["exit_code"] == code, f"{job}: exit code {seen['exit_code']}, not {code}: {seen}")
        expect(seen["generation"] == 1, f"{job} was started again: {seen}")
        receipt = cloud.receipt(job)
        expect(len(receipt["intervals"]) == 1, f"{job}: {receipt['intervals']}")
        interval = receipt["intervals"][0]
        # To its real end, rounded up: not to the restart. Shared machines are slow, never short.
        expect(int(length) <= interval["billed_s"] <= length + 4,
               f"{job} ran {length:.2f} s and was billed {interval['billed_s']} s")
        expect(receipt["posted_ticks"] == receipt["total_ticks"] and receipt["held_ticks"] == 0,
               f"{job}: the receipt does not add up: {receipt}")
        if "gang" not in seen["name"]:
            log = cloud.log(job)
            expect(log[-2:] == ["end", "1"], f"{job} was started {log[-1:]} times; its log is {log}")
    left = cloud.podman("ps", "-a", "--format", "{{.Names}}").stdout.split()
    live = [j["id"] for j in cloud.ok("GET", "/v1/jobs")["items"]]
    expect(not live, f"live jobs after the round: {live}")
    print(f"round {n}: ok, containers left {len(left)}", flush=True)


with Cloud() as cloud:
    for n in range(rounds):
        run_round(cloud, n)
    cloud.check_books()
    cloud.check_doctor()
    usage = cloud.ok("GET", "/v1/usage?by=day")
    jobs = cloud.ok("GET", "/v1/jobs?all=1&limit=500")["items"]
    total = sum(cloud.receipt(j["id"])["total_ticks"] for j in jobs)
    used = sum(t["amount_ticks"] for t in usage["totals"])
    expect(used == total, f"usage {used} but receipts {total}")
    print(f"{rounds} rounds, seed {seed}: {len(jobs)} jobs, {total} ticks on receipts and in usage")
