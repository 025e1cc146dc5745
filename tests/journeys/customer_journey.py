"""What a customer relies on: limits that hold, gangs that meet, logs that resume, exec, volumes, stop,
isolation between projects, answers once per Idempotency-Key, also across a restart."""

import json
import os
import subprocess

from cloud import BIN, Cloud, TINY, expect, need_podman, wait_for

need_podman()


def cli(cloud, *arguments, key=None, timeout=90, stdin=None):
    environment = {**os.environ, "AMPACITY_URL": f"http://127.0.0.1:{cloud.port}",
                   "AMPACITY_KEY": key or cloud.customer_key, "AMPACITY_CONFIG": cloud.dir + "/none",
                   "COLUMNS": "120"}
    return subprocess.run([f"{BIN}/ampacity", *arguments], capture_output=True, text=True,
                          timeout=timeout, env=environment, input=stdin, check=False)


def limits(cloud):
    job = cloud.submit("awk 'BEGIN { s = \"x\"; while (length(s) < 200000000) s = s s }'; exit $?")
    seen = cloud.wait(job)
    expect(seen["outcome"] == "failed", f"64 MiB held 200 MB: {seen}")
    job = cloud.submit("grep -E 'NoNewPrivs|CapEff|CapBnd' /proc/self/status; cat /proc/self/uid_map; "
                       "touch /etc/x && echo wrote; ls /dev | tr '\\n' ' '", read_only_root=True)
    cloud.wait(job)
    log = "\n".join(cloud.log(job))
    expect("NoNewPrivs:\t1" in log and "CapEff:\t0000000000000000" in log, log)
    expect("CapBnd:\t0000000000000000" in log and "wrote" not in log, log)
    expect(" 0    1000000" in log or "1000000" in log or "0          0" in log, log)
    expect("nvidia" not in log and "vda" not in log, f"devices of the host: {log}")
    # Over its process limit a fork bomb only hurts itself. Memory and CPU enough for that many: which
    # process dies when they run out is the kernel's choice, and so is when the job ends.
    job = cloud.submit("trap 'echo reached $i' EXIT; i=0; "
                       "while [ $i -lt 6000 ]; do sleep 600 & i=$((i+1)); done; echo all",
                       resources={"cpus": "2", "memory": "2GiB"})
    seen, log = cloud.wait(job), cloud.log(job)
    expect(seen["exit_code"] == 2 and "all" not in log, f"6,000 processes were allowed: {seen} {log}")
    reached = next(int(line.split()[1]) for line in log if line.startswith("reached"))
    expect(reached < 4096, f"4,096 processes, itself among them, are allowed: {log}")
    print("limits hold: ok", flush=True)


def gang(cloud):
    r = cli(cloud, "run", "-f", "examples/gang/gang.yaml")
    expect(r.returncode == 0, f"the gang: {r.stdout}{r.stderr}")
    expect("emulated" in r.stdout, f"an emulated gang must say so: {r.stdout}")
    print("a gang meets on its own network: ok", flush=True)


def logs_and_exec(cloud):
    job = cloud.submit("i=0; while [ $i -lt 40 ]; do echo line $i; i=$((i+1)); sleep 0.1; done",
                       name="talker", env={"GREETING": "hello"})
    cloud.wait(job, "running")
    r = cli(cloud, "exec", "talker", "-T", "--", "sh", "-c", "echo $GREETING; exit 5")
    expect(r.returncode == 5 and r.stdout.strip() == "hello", f"exec: {r}")
    first = cloud.call("GET", f"/v1/jobs/{job}/logs").text
    ids = [line[4:] for line in first.splitlines() if line.startswith("id: ")]
    expect(ids, "no log yet")
    cloud.wait(job)
    rest = cloud.call("GET", f"/v1/jobs/{job}/logs?follow=1", headers={"Last-Event-ID": ids[-1]}).text
    both = [json.loads(line[6:])["text"] for part in (first, rest) for line in part.splitlines()
            if line.startswith("data: ") and '"text"' in line]
    expect(both == [f"line {i}" for i in range(40)], f"the log after a resume: {both}")
    kept = cloud.store_bytes()
    for secret in (b"hello", cloud.customer_key.encode(), cloud.owner_key.encode()):
        expect(secret not in kept, "a secret is in the store")
    print("logs resume, exec works, no secret in the store: ok", flush=True)


def volumes_and_stop(cloud):
    job = cloud.submit("echo kept > /v/file", volumes=["data:/v"])
    cloud.wait(job)
    job = cloud.submit("cat /v/file; trap 'echo asked; exit 9' TERM; while true; do sleep 0.1; done",
                       volumes=["data:/v"], name="stopped")
    wait_for("its first line", lambda: cloud.log(job) == ["kept"])
    r = cli(cloud, "stop", "stopped")
    expect(r.returncode == 0, f"stop: {r}")
    seen = cloud.wait(job)
    expect(seen["outcome"] == "cancelled" and cloud.log(job)[-1] == "asked", f"{seen} {cloud.log(job)}")
    deaf = cloud.submit("trap '' TERM; while true; do sleep 0.1; done", grace="1s")
    cloud.wait(deaf, "running")
    cloud.ok("POST", f"/v1/jobs/{deaf}/stop")
    expect(cloud.wait(deaf)["exit_code"] == 137, "a deaf job is killed after its grace")
    expect("data" in cli(cloud, "volumes", "ls").stdout, "the volume is listed")
    expect(cli(cloud, "volumes", "rm", "data").returncode == 0, "the volume is removed")
    timed = cloud.wait(cloud.submit("sleep 60", time="1s", grace="1s"))
    expect(timed["outcome"] == "timed_out", f"time limit: {timed}")
    print("volumes persist, stop has grace, time limits end: ok", flush=True)


def volume_limit(cloud):
    job = cloud.submit("dd if=/dev/zero of=/v/big bs=1M count=1200 2>/dev/null; sleep 60",
                       volumes=["big:/v"], grace="1s", resources={"cpus": "1", "memory": "512MiB"})
    seen = cloud.wait(job, seconds=120)
    expect(seen["outcome"] == "failed" and "volume" in seen["why"], f"1.2 GB in 1 GiB: {seen}")
    expect(cli(cloud, "volumes", "rm", "big").returncode == 0, "the volume is removed")
    print(f"a volume over its limit stops its job ({seen['why']}): ok", flush=True)


def watching(cloud):
    text = cloud.call("GET", "/v1/events?follow=0", headers={"Last-Event-ID": "0"}).text
    events = [json.loads(line[6:]) for line in text.splitlines() if line.startswith("data: ")]
    numbers = [e["sequence"] for e in events]
    expect(numbers == list(range(1, len(numbers) + 1)), f"a gap or a repeat in the events: {numbers}")
    middle = str(numbers[len(numbers) // 2])
    rest = cloud.call("GET", "/v1/events?follow=0", headers={"Last-Event-ID": middle}).text
    expect(f"id: {middle}\n" not in rest and f"id: {int(middle) + 1}\n" in rest, "resume repeats or skips")
    metrics = cloud.call("GET", "/metrics").text
    expect("ampacity_gpus 16" in metrics and "ampacity_commits_total" in metrics, metrics)
    expect(cloud.call("GET", "/healthz", key="").json["engine_reachable"], "healthz")
    print(f"{len(numbers)} events without a gap, resumed; metrics: ok", flush=True)


def tenants(cloud):
    cloud.ok("POST", "/v1/orgs", {"name": "other"})
    cloud.ok("POST", "/v1/projects", {"name": "theirs", "org": "other"})
    cloud.ok("POST", "/v1/users", {"name": "bob", "org": "other"})
    bob = cloud.ok("POST", "/v1/keys", {"project": "theirs", "user": "bob"})["secret"]
    job = cloud.submit("sleep 30", name="private")
    for method, path in (("GET", ""), ("GET", "/receipt"), ("GET", "/logs"), ("POST", "/stop"),
                         ("GET", "/exec?arg=id")):
        a = cloud.call(method, f"/v1/jobs/{job}{path}", key=bob)
        expect(a.status == 404, f"bob sees ann's job by {method} {path}: {a.status} {a.text}")
    expect(cloud.ok("GET", "/v1/jobs?all=1", key=bob)["items"] == [], "bob lists ann's jobs")
    for path in ("/v1/nodes", "/v1/orgs", "/v1/event-log", "/v1/ledger/check", "/metrics"):
        expect(cloud.call("GET", path, key=bob).status == 403, f"bob may {path}")
        expect(cloud.call("GET", path, key="").status == 401, f"anybody may {path}")
    mine = cloud.ok("GET", "/v1/keys", key=bob)["items"]
    expect([k["user"] for k in mine] == ["bob"], f"bob sees others' keys: {mine}")
    a = cloud.call("POST", "/v1/jobs", {"image": TINY}, key=bob)
    expect(a.status == 402 and a.json["missing"], f"bob has no credit: {a.text}")
    keys = cloud.ok("GET", "/v1/keys")["items"]
    bobs = next(k for k in keys if k.get("user") == "bob")
    expect(cloud.call("DELETE", f"/v1/keys/{bobs['id']}").status == 204, "revoked")
    expect(cloud.call("GET", "/v1/whoami", key=bob).status == 401, "a revoked key works")
    cloud.ok("POST", f"/v1/jobs/{job}/stop")
    print("projects are apart: ok", flush=True)


def once(cloud):
    key = {"Idempotency-Key": "one-and-only"}
    body = {"image": TINY, "command": ["true"], "resources": {"cpus": "0.1", "memory": "64MiB"}}
    first = cloud.ok("POST", "/v1/jobs", body, cloud.customer_key, key)["id"]
    cloud.kill9()
    cloud.start()
    second = cloud.call("POST", "/v1/jobs", body, cloud.customer_key, key)
    expect(second.json["id"] == first, "the same key after a restart made another job")
    other = cloud.call("POST", "/v1/jobs", {**body, "name": "x"}, cloud.customer_key, key)
    expect(other.status == 422, f"same key, other body: {other.status} {other.text}")
    cloud.wait(first)
    print("Idempotency-Key is honoured across a restart: ok", flush=True)


with Cloud(emulate="h100:8x2", more=["--volume-limit-gib", "1"]) as cloud:
    for part in (limits, gang, logs_and_exec, volumes_and_stop, volume_limit, watching, tenants, once):
        part(cloud)
    cloud.check_books()
