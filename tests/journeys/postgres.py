"""A PostgreSQL of a journey's own: on a socket in a folder that goes with it. It refuses to run as root,
so there it runs as the user `postgres`; it ends with the journey, however that ends."""

import atexit
import glob
import os
import shutil
import signal
import subprocess
import tempfile
import time


def programs():
    found = sorted(os.path.dirname(p) for p in glob.glob("/usr/lib/postgresql/*/bin/initdb"))
    return found[-1] if found else None


class Postgres:
    def __init__(self):
        self.bin = programs()
        self.dir = tempfile.mkdtemp(prefix="ampacity-pg-", dir="/tmp")
        self.process, self.made = None, 0
        self.user = []
        if os.geteuid() == 0:
            shutil.chown(self.dir, "postgres", "postgres")
            self.user = ["setpriv", "--reuid=postgres", "--regid=postgres", "--init-groups"]
        atexit.register(self.remove)
        subprocess.run([*self.user, f"{self.bin}/initdb", "-D", f"{self.dir}/data", "-A", "trust", "-U", "ampacity",
                        "-E", "UTF8", "--locale=C", "--no-sync"], cwd="/", check=True, stdout=subprocess.DEVNULL)
        self.start()

    def start(self):
        dying = ["--pdeathsig=QUIT"] if self.user else []
        # Here only processes crash: recovery need not sync a disk to which others write, too.
        with open(f"{self.dir}/data/postgresql.auto.conf", "w") as conf:
            conf.write("fsync = off\n")
        with open(f"{self.dir}/server.log", "a") as log:
            self.process = subprocess.Popen(
                [*self.user, *dying, f"{self.bin}/postgres", "-D", f"{self.dir}/data", "-k", self.dir,
                 "-c", "listen_addresses=", "-c", "max_wal_size=1GB"],
                cwd="/", stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)
        end = time.monotonic() + 180
        while subprocess.run([f"{self.bin}/pg_isready", "-h", self.dir, "-q"], check=False).returncode != 0:
            if self.process.poll() is not None or time.monotonic() > end:
                raise AssertionError(open(f"{self.dir}/server.log").read())
            time.sleep(0.05)
        self.sql("ALTER SYSTEM SET fsync = on")
        self.sql("SELECT pg_reload_conf()")
        while self.sql("SHOW fsync") != "on":
            time.sleep(0.01)

    def stop(self, immediate=False):
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGQUIT if immediate else signal.SIGINT)
            self.process.wait(timeout=60)

    def remove(self):
        self.stop(immediate=True)
        shutil.rmtree(self.dir, ignore_errors=True)

    def url(self, database):
        return f"postgres:///{database}?host={self.dir}&user=ampacity"

    def sql(self, text, database="postgres"):
        r = subprocess.run(["psql", "-XqAt", "-v", "ON_ERROR_STOP=1", "-h", self.dir, "-U", "ampacity", "-d", database,
                            "-c", text], capture_output=True, text=True, check=False)
        if r.returncode != 0:
            raise AssertionError(r.stderr)
        return r.stdout.strip()

    def make_database(self):
        self.made += 1
        self.sql(f"CREATE DATABASE cloud{self.made}")
        return f"cloud{self.made}"


_one = None


def the_one():
    """Started when first asked for."""
    global _one
    _one = _one or Postgres()
    return _one
