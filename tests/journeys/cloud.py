"""A cloud of its own for a journey: real ampacityd, real podman, real containers, in a directory that
is removed at the end. A journey is a script that exits 0 (passed), 77 (skipped: says why) or else.
With AMPACITY_STORE=postgres its store is in a PostgreSQL of its own."""

import json
import os
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request

import postgres

BIN = os.environ.get("AMPACITY_BIN", os.path.abspath("build/default/bin"))
IMAGES = os.environ.get("AMPACITY_IMAGES", os.path.abspath("build/images"))
TINY = "localhost/ampacity-tiny"
ON_POSTGRES = os.environ.get("AMPACITY_STORE") == "postgres"


def skip(why):
    print(why)
    sys.exit(77)


def need_podman():
    if not shutil.which("podman"):
        skip("podman is not installed")


def expect(condition, what):
    if not condition:
        raise AssertionError(what)


def wait_for(what, f, seconds=60):
    """Polls f until it is true; says what never came."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        value = f()
        if value:
            return value
        time.sleep(0.05)
    raise AssertionError(f"never came: {what}")


class Answer:
    def __init__(self, status, text, headers):
        self.status, self.text, self.headers = status, text, headers

    @property
    def json(self):
        return json.loads(self.text)


class Cloud:
    def __init__(self, emulate="h100:8x2", engine="podman", state=None, more=(), environment=None,
                 store=None):
        self.dir = tempfile.mkdtemp(prefix="ampacity-journey-", dir="/var/tmp")
        self.state = state or os.path.join(self.dir, "state")
        self.emulate, self.engine, self.more = emulate, engine, list(more)
        self.environment = {**os.environ, **(environment or {})}
        self.database = ""  # of PostgreSQL's; empty: SQLite
        if ON_POSTGRES and store is None:
            if not postgres.programs():
                skip("PostgreSQL is not installed")
            self.database = postgres.the_one().make_database()
            store = postgres.the_one().url(self.database)
        self.store = store  # None: ampacity.db in the state
        self.process = None
        self.owner_key = ""
        self.port = 0

    def __enter__(self):
        try:
            self.start()
            self.owner_key = open(os.path.join(self.dir, "owner.key")).read().strip()
            self.ok("POST", "/v1/orgs", {"name": "acme"})
            self.ok("POST", "/v1/projects", {"name": "demo", "org": "acme"})
            self.ok("POST", "/v1/users", {"name": "ann", "org": "acme"})
            self.ok("POST", "/v1/credits", {"project": "demo", "amount": "1000.00"})
            made = self.ok("POST", "/v1/keys", {"project": "demo", "user": "ann"})
            self.customer_key = made["secret"]
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(self, kind, error, trace):
        if (kind is not None or not self.owner_key) and kind is not SystemExit and os.path.exists(self.log_path):
            print(f"--- the end of ampacityd's log ({self.state}):")
            print("".join(open(self.log_path, errors="replace").readlines()[-30:]))
        self.stop()
        self.offline("stop-engine")
        shutil.rmtree(self.dir, ignore_errors=True)

    @property
    def log_path(self):
        return os.path.join(self.dir, "ampacityd.log")

    def start(self):
        port_file = os.path.join(self.dir, "port")
        if os.path.exists(port_file):
            os.remove(port_file)
        arguments = [f"{BIN}/ampacityd", "--state", self.state, "--listen", "127.0.0.1:0",
                     "--port-file", port_file, "--engine", self.engine, "--images", IMAGES,
                     "--owner-key-file", os.path.join(self.dir, "owner.key"), *self.more]
        if self.store:
            arguments += ["--store", self.store]
        if self.emulate:
            arguments += ["--emulate", self.emulate]
        log = open(self.log_path, "a")
        begins = os.path.getsize(self.log_path)
        self.process = subprocess.Popen(arguments, stdout=log, stderr=log, stdin=subprocess.DEVNULL,
                                        start_new_session=True, env=self.environment)

        def listening():
            if self.process.poll() is not None:
                with open(self.log_path, errors="replace") as said:
                    said.seek(begins)
                    expect(False, f"ampacityd ended at start ({self.process.returncode}): {said.read()[-2000:]}")
            return os.path.exists(port_file) and open(port_file).read().strip()
        self.port = int(wait_for("ampacityd listens", listening))
        if self.store:  # in PostgreSQL it leads by its lease, which after a kill may be its own dead one's
            wait_for("it leads", lambda: self.call("GET", "/healthz", key="").json.get("role") in ("leader", "alone"))

    def offline(self, verb):
        """A verb of ampacityd while no server runs."""
        store = ["--store", self.store] if self.store else []
        return subprocess.run([f"{BIN}/ampacityd", "--state", self.state, *store, verb], timeout=120,
                              capture_output=True, text=True, check=False)

    def sql(self, text):
        """As a person with a prompt: behind the server's back."""
        if self.database:
            return postgres.the_one().sql(text, self.database)
        db = sqlite3.connect(os.path.join(self.state, "ampacity.db"))
        rows = db.execute(text).fetchall()
        db.commit()
        db.close()
        return "\n".join("|".join(map(str, row)) for row in rows)

    def store_bytes(self):
        """Everything that is in it."""
        if self.database:
            one = postgres.the_one()
            dump = subprocess.run(["pg_dump", "-h", one.dir, "-U", "ampacity", "--inserts", self.database],
                                  capture_output=True, check=True).stdout
            return dump + b"".join(bytes.fromhex(m.decode()) for m in re.findall(rb"\\x([0-9a-f]*)", dump))
        return b"".join(open(os.path.join(self.state, name), "rb").read() for name in ("ampacity.db", "ampacity.db-wal"))

    def kill9(self):
        self.process.kill()
        self.process.wait()

    def stop(self):
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(timeout=30)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
                print("ampacityd did not stop in 30 s")

    def tls(self):
        """An ssl.SSLContext, where the API is asked over TLS."""
        return None

    def call(self, method, path, body=None, key=None, headers=None, raw=None, timeout=60):
        data = raw if raw is not None else (json.dumps(body).encode() if body is not None else None)
        tls = self.tls()
        scheme = "https" if tls else "http"
        request = urllib.request.Request(f"{scheme}://127.0.0.1:{self.port}{path}", data=data, method=method)
        key = key if key is not None else self.owner_key
        if key:
            request.add_header("Authorization", f"Bearer {key}")
        request.add_header("Content-Type", "application/json")
        for name, value in (headers or {}).items():
            request.add_header(name, value)
        try:
            with urllib.request.urlopen(request, timeout=timeout, context=tls) as r:
                return Answer(r.status, r.read().decode(), dict(r.headers))
        except urllib.error.HTTPError as e:
            return Answer(e.code, e.read().decode(errors="replace"), dict(e.headers))

    def ok(self, method, path, body=None, key=None, headers=None):
        answer = self.call(method, path, body, key, headers)
        expect(answer.status < 300, f"{method} {path}: {answer.status} {answer.text}")
        return answer.json if answer.text else None

    def submit(self, script, key=None, headers=None, **fields):
        body = {"image": TINY, "command": ["sh", "-c", script],
                "resources": {"cpus": "0.1", "memory": "64MiB"}, **fields}
        return self.ok("POST", "/v1/jobs", body, key or self.customer_key, headers)["id"]

    def job(self, job):
        return self.ok("GET", f"/v1/jobs/{job}")

    def wait(self, job, state="ended", seconds=90):
        return wait_for(f"{job} {state}", lambda: (j := self.job(job))["state"] == state and j, seconds)

    def receipt(self, job):
        return self.ok("GET", f"/v1/jobs/{job}/receipt")

    def log_events(self, job):
        return [json.loads(line[6:]) for line in self.call("GET", f"/v1/jobs/{job}/logs").text.splitlines()
                if line.startswith("data: ") and '"text"' in line]

    def log(self, job):
        return [event["text"] for event in self.log_events(job)]

    def check_books(self):
        check = self.ok("GET", "/v1/ledger/check")
        bad = [f for f in check["findings"] if not f["holds"]]
        expect(check["holds"] and not bad, f"the books do not hold: {bad}")

    def check_doctor(self):
        """`ampacity doctor` finds nothing bad; what it cannot know is not bad."""
        report = self.ok("GET", "/v1/doctor")
        bad = [c for c in report["checks"] if c["state"] == "bad"]
        expect(report["clean"] and not bad, f"doctor: {bad}")
        expect(any(c["check"] == "world" for c in report["checks"]), f"doctor: {report}")

    def processes(self, program):
        """Those of that program which have a path of this cloud's state in their arguments."""
        found = []
        for pid in filter(str.isdigit, os.listdir("/proc")):
            try:
                argv = open(f"/proc/{pid}/cmdline", "rb").read().decode(errors="replace").split("\0")
            except OSError:
                continue
            if os.path.basename(argv[0]) == program and any(self.state in a for a in argv):
                found.append((int(pid), argv))
        return found

    def service_pids(self):
        """The processes of the cloud's private podman service."""
        return [pid for pid, argv in self.processes("podman") if "service" in argv]

    def podman(self, *arguments, timeout=30):
        """The cloud's private podman, as an operator behind our back would use it."""
        root = os.path.join(self.state, "podman")
        run = os.path.realpath(os.path.join(root, "run"))
        environment = dict(os.environ)
        conf = next((os.path.join(root, f) for f in os.listdir(root) if f.endswith(".conf")), None)
        if conf:
            environment["CONTAINERS_CONF"] = conf
        return subprocess.run(
            ["podman", "--root", f"{root}/root", "--runroot", f"{run}/run", "--tmpdir",
             f"{run}/tmp", "--storage-driver", "overlay", *arguments],
            capture_output=True, text=True, timeout=timeout, env=environment, check=False)
