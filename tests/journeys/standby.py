"""Two ampacityd on one PostgreSQL primary with a standby of its own (examples/postgres_pair.sh), for
the journeys of takeover: each may be killed, frozen and started again; the database may fail over."""

import os
import re
import shutil
import signal
import subprocess
import tempfile
import time

from cloud import BIN, Cloud, expect, skip, wait_for

PAIR = os.path.join(os.path.dirname(__file__), "..", "..", "examples", "postgres_pair.sh")


class Database:
    def __init__(self, asynchronous=False):
        self.dir = tempfile.mkdtemp(prefix="ampacity-pg-", dir="/var/tmp")
        os.rmdir(self.dir)
        self.more = ["--async"] if asynchronous else []

    def run(self, *words):
        done = subprocess.run([PAIR, words[0], self.dir, *words[1:]], capture_output=True, text=True,
                              timeout=120, check=False)
        if done.returncode == 77:
            skip(done.stderr.strip())
        expect(done.returncode == 0, f"postgres_pair {words[0]}: {done.stderr}")
        return done.stdout.strip()

    def __enter__(self):
        self.url = self.run("up", *self.more)
        return self

    def __exit__(self, *_):
        subprocess.run([PAIR, "down", self.dir], timeout=60, check=False, capture_output=True)

    @property
    def password_file(self):
        return os.path.join(self.dir, "password")


class Standby:
    """Two servers of one cloud. `leader` and `follower` are found by asking."""

    def __init__(self, database, engine="stub", lease_ms=5000, emulate="h100:8x200", more=()):
        self.state = tempfile.mkdtemp(prefix="ampacity-standby-", dir="/var/tmp")
        self.record = os.path.join(self.state, "starts")
        flags = ["--store", database.url, "--store-password-file", database.password_file,
                 "--lease-ms", str(lease_ms), *more]
        if engine == "stub":
            flags += ["--stub-record", self.record]
        self.servers = [Cloud(emulate=emulate, engine=engine, state=self.state, more=flags)
                        for _ in range(2)]
        self.flags = flags[:4]

    def __enter__(self):
        first, second = self.servers
        try:
            first.__enter__()
            first.ok("POST", "/v1/credits", {"project": "demo", "amount": "10000000.00"})
            second.owner_key, second.customer_key = first.owner_key, first.customer_key
            second.start()
        except BaseException:
            self.__exit__(AssertionError, None, None)
            raise
        return self

    def __exit__(self, kind, error, trace):
        for server in self.servers:
            if server.process and server.process.poll() is None:
                server.process.send_signal(signal.SIGCONT)
        for n, server in enumerate(self.servers):
            if kind not in (None, SystemExit) and os.path.exists(server.log_path):
                print(f"--- the end of the log of server {n}:")
                print("".join(open(server.log_path, errors="replace").readlines()[-25:]))
            server.stop()
        subprocess.run([f"{BIN}/ampacityd", "--state", self.state, *self.flags, "stop-engine"],
                       timeout=60, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)
        for server in self.servers:
            shutil.rmtree(server.dir, ignore_errors=True)
        shutil.rmtree(self.state, ignore_errors=True)

    def health(self, server):
        try:
            answer = server.call("GET", "/healthz", key="", timeout=5)
            return answer.json if answer.status == 200 else {}
        except OSError:
            return {}

    def with_role(self, role, besides=None):
        return next((s for s in self.servers if s is not besides and s.process.poll() is None
                     and self.health(s).get("role") == role), None)

    def leader(self, besides=None, seconds=60):
        return wait_for("a leader", lambda: self.with_role("leader", besides), seconds)

    def follower(self, seconds=60):
        return wait_for("a follower", lambda: self.with_role("follower"), seconds)

    def other(self, server):
        return self.servers[1 - self.servers.index(server)]

    @property
    def ports(self):
        return [s.port for s in self.servers]

    def log_of(self, server):
        return open(server.log_path, errors="replace").read()

    def starts(self):
        """What the engine was ever told to start: (name, microseconds, process) a line."""
        if not os.path.exists(self.record):
            return []
        return [(name, int(us), int(pid)) for name, us, pid in
                (line.split() for line in open(self.record))]

    def all_jobs(self, server):
        jobs, cursor = {}, ""
        while True:
            page = server.ok("GET", f"/v1/jobs?all=1&limit=500{cursor}")
            for job in page["items"]:
                jobs[job["id"]] = job
            if not page.get("next_cursor"):
                return jobs
            cursor = "&cursor=" + page["next_cursor"]


def prove(pair, load, server):
    """Nothing acknowledged is lost, nothing is there twice, nothing was started twice; the books hold."""
    wait_for("every job ends", lambda: not server.ok("GET", "/v1/jobs?limit=1")["items"], 90)
    jobs = pair.all_jobs(server)
    lost = [n for n, (job, _) in load.acknowledged.items() if job not in jobs]
    expect(not lost, f"{len(lost)} acknowledged jobs are lost; the first: {lost[:5]}")
    names = [j["name"] for j in jobs.values()]
    twice = len(names) - len(set(names))
    expect(twice == 0, f"{twice} jobs are there twice: a retry was not recognised")
    again = [j["id"] for j in jobs.values() if j["generation"] != 1 or j["exit_code"] != 0]
    expect(not again, f"{len(again)} jobs were started again or failed: {again[:5]}")
    starts = pair.starts()
    started = [name for name, _, _ in starts]
    expect(len(started) == len(set(started)), "the engine was told to start something twice")
    ranks = {re.sub(r"-\d+-\d+$", "", name) for name in started}
    expect(len(ranks) == len(started), "a job was started in two generations")
    unstarted = [job for job in jobs if job not in ranks]
    expect(not unstarted, f"ended without a start: {unstarted[:5]}")
    server.check_books()
    server.check_doctor()
    return len(jobs)


def freeze(server):
    server.process.send_signal(signal.SIGSTOP)
    return time.monotonic()


def wake(server):
    server.process.send_signal(signal.SIGCONT)
