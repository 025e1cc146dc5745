"""What soak_journey.py does to a living cloud: processes killed and frozen, the engine's socket gone,
the store's disk full, the server's clock stepped. Every fault begins, lasts, and is over by itself."""

import os
import random
import signal
import subprocess
import tempfile
import threading
import time

from cloud import Cloud, expect

FAKETIME = "/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1"


class Rig:
    """One cloud with all the handles: its store on a tiny tmpfs, its clock in a file. Only the store is
    there: what podman does on a full disk is not ours to test."""

    def __init__(self):
        self.disk = tempfile.mkdtemp(prefix="ampacity-soak-", dir="/var/tmp")
        self.ahead_s = 0  # of true time, and so of podman's
        self.worn_out = False
        self.log_read = 0  # bytes of ampacityd's log
        self.disk_full = threading.Event()
        made = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=24m", "tmpfs", self.disk],
                              check=False, capture_output=True, text=True)
        self.small_disk = made.returncode == 0
        self.clock_file = os.path.join(self.disk + "-clock")
        self.set_clock(0)
        environment = {}
        if os.path.exists(FAKETIME):
            environment = {"LD_PRELOAD": FAKETIME, "FAKETIME_TIMESTAMP_FILE": self.clock_file,
                           "FAKETIME_NO_CACHE": "1", "FAKETIME_DONT_FAKE_MONOTONIC": "1",
                           "NO_FAKE_STAT": "1"}
        self.cloud = Cloud(environment=environment)

    def __enter__(self):
        try:
            if self.small_disk:
                os.mkdir(self.cloud.state, 0o700)
                os.symlink(os.path.join(self.disk, "ampacity.db"),
                           os.path.join(self.cloud.state, "ampacity.db"))
            self.cloud.__enter__()
        except BaseException:
            self.clear()
            raise
        return self

    def __exit__(self, kind, error, trace):
        try:
            self.cloud.__exit__(kind, error, trace)
            left = self.cloud.processes("podman") + self.cloud.processes("conmon")
            expect(kind or not left, f"running after stop-engine: {left}")
        finally:
            self.clear()

    def clear(self):
        if self.small_disk:
            subprocess.run(["umount", "-l", self.disk], check=False)
        os.rmdir(self.disk)
        os.remove(self.clock_file)

    def impossible(self):
        """The faults for which something is missing on this machine."""
        missing = [] if self.small_disk else ["disk"]
        missing += [] if os.path.exists(FAKETIME) else ["clock"]
        return [name for name, (_, target, _) in FAULTS.items() if target in missing]

    def set_clock(self, ahead_s):
        with open(self.clock_file + ".new", "w") as f:
            f.write(f"{ahead_s:+d}\n")
        os.rename(self.clock_file + ".new", self.clock_file)
        self.ahead_s = ahead_s

    def bad_log_lines(self):
        """What ampacityd has said since the last time that is an error or worse."""
        with open(self.cloud.log_path, errors="replace") as log:
            log.seek(self.log_read)
            lines = log.readlines()
            self.log_read = log.tell()
        return [line.strip() for line in lines
                if line.split()[1:2] == ["error"] or line.startswith("BUG ")]

    def start_again(self):
        """As a supervisor would: on a full disk it may take several starts."""
        end = time.monotonic() + 30
        while True:
            try:
                return self.cloud.start()
            except AssertionError:
                if not self.disk_full.is_set() or time.monotonic() > end:
                    raise
            time.sleep(0.3)

    def kill9(self):
        pid = self.cloud.process.pid
        self.cloud.kill9()
        for name in (f"faketime_shm_{pid}", f"sem.faketime_sem_{pid}"):  # it could not
            try:
                os.remove(f"/dev/shm/{name}")
            except FileNotFoundError:
                pass


def signal_all(pids, which):
    for pid in pids:
        try:
            os.kill(pid, which)
        except ProcessLookupError:
            pass


def kill_server(rig, fault):
    rig.kill9()
    time.sleep(fault.lasts_s)
    rig.start_again()


def kill_server_twice(rig, fault):
    kill_server(rig, fault)
    time.sleep(fault.lasts_s / 8)  # in the middle of taking things back
    rig.kill9()
    rig.start_again()


def freeze_server(rig, fault):
    rig.cloud.process.send_signal(signal.SIGSTOP)
    try:
        time.sleep(fault.lasts_s)
    finally:
        rig.cloud.process.send_signal(signal.SIGCONT)


def kill_podman(rig, fault):
    signal_all(rig.cloud.service_pids(), signal.SIGKILL)


def freeze_podman(rig, fault):
    pids = rig.cloud.service_pids()
    signal_all(pids, signal.SIGSTOP)
    try:
        time.sleep(fault.lasts_s)
    finally:
        # Those that are still ours: a server that started meanwhile may have replaced it.
        signal_all(set(pids) & set(rig.cloud.service_pids()), signal.SIGCONT)


def cut_socket(rig, fault):
    socket = os.path.join(os.path.realpath(os.path.join(rig.cloud.state, "podman", "run")), "p.sock")
    away = socket + ".away"
    try:
        os.rename(socket, away)
    except FileNotFoundError:  # podman is being started just now
        return
    try:
        time.sleep(fault.lasts_s)
    finally:
        try:
            os.link(away, socket)
        except FileExistsError:  # a service that started meanwhile has made its own
            pass
        os.remove(away)


def fill_disk(rig, fault):
    ballast = os.path.join(rig.disk, "ballast")
    rig.disk_full.set()
    end = time.monotonic() + fault.lasts_s
    try:
        with open(ballast, "wb", buffering=0) as f:
            while time.monotonic() < end:  # and what becomes free meanwhile
                try:
                    f.write(b"\0" * 4096)
                except OSError:
                    time.sleep(0.02)
    finally:
        os.remove(ballast)
        rig.disk_full.clear()


def step_clock(rig, fault):
    """Backwards it is set right again later; meanwhile time must go on in the cloud. Far forwards it stays:
    podman, whose clock cannot be faked, is then behind for good, and this cloud is used no more."""
    before = rig.ahead_s
    rig.set_clock(before + fault.step_s)
    if fault.step_s > 5:
        rig.worn_out = True
        return
    time.sleep(fault.lasts_s)
    rig.set_clock(before)


# name: what it does, what it is done to (one fault at a time on each), how long.
FAULTS = {
    "kill ampacityd": (kill_server, "server", (0.0, 1.5)),
    "kill ampacityd twice": (kill_server_twice, "server", (0.0, 1.5)),
    "freeze ampacityd": (freeze_server, "server", (1.0, 8.0)),
    "kill podman": (kill_podman, "engine", (0.0, 0.0)),
    "freeze podman": (freeze_podman, "engine", (1.0, 8.0)),
    "cut podman's socket": (cut_socket, "engine", (0.5, 5.0)),
    "fill the disk": (fill_disk, "disk", (0.3, 4.0)),
    "step the clock": (step_clock, "clock", (0.3, 4.0)),
}
STEPS_S = (-3600, -600, -60, -5, -1, 1, 5, 60, 600, 3600)


class Fault:
    def __init__(self, dice, name):
        self.name = name
        self.act, self.target, bounds = FAULTS[name]
        self.at_s = dice.uniform(0.0, 2.0)
        self.lasts_s = dice.uniform(*bounds)
        self.step_s = dice.choice(STEPS_S)

    def __str__(self):
        step = f" by {self.step_s:+d} s" if self.target == "clock" else ""
        return f"{self.name}{step} at {self.at_s:.1f} s for {self.lasts_s:.1f} s"



def draw(dice: random.Random, rig):
    possible = [name for name in FAULTS if name not in rig.impossible()]
    return [Fault(dice, name) for name in dice.sample(possible, dice.choice((1, 1, 2)))]


# An error or worse in the log fails a round, but for what a fault is meant to cause.
MAY_SAY = {"fill the disk": "this batch is refused, nothing acknowledged is lost"}


class Running:
    """The faults of a round at work, each on a thread of its own."""

    def __init__(self, rig, faults):
        self.failures = []
        one_at_a_time = {fault.target: threading.Lock() for fault in faults}

        def act(fault):
            try:
                time.sleep(fault.at_s)
                with one_at_a_time[fault.target]:
                    fault.act(rig, fault)
            except BaseException as error:  # said on the journey's thread
                self.failures.append(f"{fault}: {error!r}")
        self.threads = [threading.Thread(target=act, args=(fault,), daemon=True) for fault in faults]
        for thread in self.threads:
            thread.start()

    def wait(self):
        for thread in self.threads:
            thread.join(timeout=120)
            expect(not thread.is_alive(), "a fault is not over")
        expect(not self.failures, f"a fault went wrong: {self.failures}")
