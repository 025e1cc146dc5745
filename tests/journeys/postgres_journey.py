"""A cloud moves from its file to PostgreSQL with jobs alive, lives through the database's crash, and moves
back: what was acknowledged is there, once; both stores are proved equal each time."""

import os
import re
import subprocess
import threading
import uuid

import postgres
from cloud import BIN, Cloud, expect, need_podman, skip, wait_for

need_podman()
if not postgres.programs():
    skip("PostgreSQL is not installed")


def copy(source, target):
    return subprocess.run([f"{BIN}/ampacity", "store", "copy", source, target], capture_output=True, text=True,
                          timeout=120, check=False)


def moved(cloud, target):
    r = copy(cloud.store or os.path.join(cloud.state, "ampacity.db"), target)
    expect(r.returncode == 0, r.stdout + r.stderr)
    return re.search(r"equal: (\d+) facts, chain (\w+), world (\w+)", r.stdout).groups()


def submit_all_the_time(cloud, stop, acknowledged):
    while not stop.is_set():
        key = "j" + uuid.uuid4().hex
        body = {"image": "localhost/ampacity-tiny", "command": ["true"], "name": key,
                "resources": {"cpus": "0.1", "memory": "64MiB"}}
        for _ in range(100):  # as a client does that repeats with its key
            try:
                a = cloud.call("POST", "/v1/jobs", body, cloud.customer_key, {"Idempotency-Key": key}, timeout=60)
            except OSError:
                continue
            if a.status == 201:
                acknowledged.append((a.json["id"], key))
                break
            if a.status < 500:
                print(f"refused: {a.status} {a.text}", flush=True)
                return


def backed_up(cloud):
    """Taken while jobs come in; returns its folder and the digest of its world."""
    folder = os.path.join(cloud.dir, "backup")
    r = subprocess.run([f"{BIN}/ampacity", "backup", "--state", cloud.state, "--store", cloud.store, "--with-secret",
                        folder], capture_output=True, text=True, timeout=120, check=False)
    expect(r.returncode == 0, r.stdout + r.stderr)
    return folder, re.search(r"^world (\w+)$", r.stdout, re.MULTILINE).group(1)


def check_restored(cloud, folder, world):
    """Into a file and into a database: each is the world of the backup, and its books hold."""
    for n, store in enumerate((os.path.join(cloud.dir, "restored.db"), server.url(server.make_database()))):
        state = os.path.join(cloud.dir, f"restored-{n}")
        for words, said in ((["restore", folder], f"world {world}: equal"), (["doctor"], "ok ")):
            r = subprocess.run([f"{BIN}/ampacityd", "--state", state, "--store", store, *words], capture_output=True,
                               text=True, timeout=120, check=False)
            expect(r.returncode == 0 and said in r.stdout, f"{words} in {store}: {r.stdout}{r.stderr}")
        again = subprocess.run([f"{BIN}/ampacityd", "--state", state, "--store", store, "restore", folder],
                               capture_output=True, text=True, timeout=120, check=False)
        expect(again.returncode == 3, f"restored over a store: {again}")


server = postgres.the_one()
with Cloud(emulate="h100:8x2", store=None) as cloud:
    cloud.store = None  # also where the other journeys' store is PostgreSQL's
    ended = cloud.submit("echo done")
    cloud.wait(ended)
    alive = cloud.submit("echo here; sleep 12; echo still; exit 3", name="alive")
    cloud.wait(alive, "running")
    database = server.make_database()
    url = server.url(database)
    r = copy(os.path.join(cloud.state, "ampacity.db"), url)
    expect(r.returncode == 3 and "in use by another ampacityd" in r.stderr, f"copied under a server: {r}")
    cloud.stop()
    there = moved(cloud, url)
    again = copy(os.path.join(cloud.state, "ampacity.db"), url)
    expect(again.returncode == 3 and "was moved: its cloud lives in postgres://" in again.stderr, again.stderr)
    left = subprocess.run(
        [f"{BIN}/ampacityd", "--state", cloud.state], capture_output=True, text=True, timeout=60, check=False)
    expect(left.returncode == 3 and "ampacity store reopen" in left.stderr, f"the store left behind started: {left}")
    print(f"moved to PostgreSQL: {there}", flush=True)

    cloud.store, cloud.database = url, database
    cloud.start()
    expect(cloud.job(alive)["state"] == "running", "the job that was running runs")
    expect(cloud.receipt(ended), "the receipt of before")
    secret = subprocess.run([f"{BIN}/ampacityd", "--state", cloud.dir + "/other", "--store",
                             "postgres://ampacity:hunter2@localhost/x"], capture_output=True, text=True, check=False)
    expect(secret.returncode == 2 and "password" in secret.stderr and "hunter2" not in secret.stderr, secret.stderr)

    # The database crashes while jobs come in; sessions are ended; then the server itself.
    stop, acknowledged = threading.Event(), []
    worker = threading.Thread(target=submit_all_the_time, args=(cloud, stop, acknowledged))
    worker.start()
    for blow in range(3):
        known = len(acknowledged)
        wait_for("some jobs", lambda: len(acknowledged) > known + 3)
        if blow == 1:
            server.sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND "
                       f"datname = '{database}'")
            continue
        server.stop(immediate=True)
        server.start()
    folder, world = backed_up(cloud)
    known = len(acknowledged)
    wait_for("jobs after the backup", lambda: len(acknowledged) > known)
    stop.set()
    worker.join()
    expect(cloud.process.poll() is None, "ampacityd lives through its database's crash")
    for job, name in acknowledged:
        expect(cloud.job(job)["name"] == name, f"{job} was acknowledged")
    names = server.sql("SELECT count(*), count(DISTINCT body::json -> 'job' ->> 'name') FROM facts WHERE kind = "
                       "'job_submitted'", database).split("|")
    expect(int(names[0]) == len(acknowledged) + 2, f"{names} submitted, {len(acknowledged)} acknowledged")
    cloud.kill9()
    cloud.start()
    last = cloud.wait(alive)
    expect(last["exit_code"] == 3, f"the job from before: {last}")
    cloud.check_books()
    cloud.check_doctor()
    cloud.stop()
    for verb in ("doctor", "rebuild"):
        r = cloud.offline(verb)
        expect(r.returncode == 0, f"{verb}: {r.stdout} {r.stderr}")
    print(f"{len(acknowledged)} acknowledged, each there once: ok", flush=True)

    check_restored(cloud, folder, world)
    print("backed up while it ran, restored into both: ok", flush=True)

    back = os.path.join(cloud.dir, "back.db")
    moved(cloud, back)
    left = subprocess.run([f"{BIN}/ampacityd", "--state", cloud.state, "--store", url], capture_output=True, text=True,
                          timeout=60, check=False)
    expect(left.returncode == 3 and f"lives in {back} since" in left.stderr, f"the store left behind started: {left}")
    cloud.store, cloud.database = back, ""
    cloud.start()
    expect(cloud.receipt(alive), "the receipt in the file")
    cloud.wait(cloud.submit("echo home"))
    cloud.check_books()
    print("moved back: ok", flush=True)
