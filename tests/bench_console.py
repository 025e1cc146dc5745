"""./dev bench console: the console in real headless Chromium before a real ampacityd with 45,000 emulated
GPUs and a stub engine: what the first load weighs, when it can be used, frames a second of the heat map
while jobs begin and end, how late a change is on the screen, and whether a long list stays whole.
--gpus N --changes N (a second) --jobs N (in the list) --parts firstLoad,heatMap,… --first (root: the CPU is
for server and browser before others' work, by a cgroup, which the result says; Chromium undoes `nice`)."""

import json
import os
import shutil
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "journeys"))
from cloud import Cloud, skip  # noqa: E402

CONSOLE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../console")


run_ms = 5000  # of a job


def option(name, otherwise):
    return sys.argv[sys.argv.index(name) + 1] if name in sys.argv else otherwise


class First:
    """While it lasts, this process and its children come before others on the CPU."""

    def __init__(self, wanted):
        self.folder = self.said = ""
        if not wanted:
            return
        for top, file, most in (("/sys/fs/cgroup/cpu", "cpu.shares", "262144"),
                                ("/sys/fs/cgroup", "cpu.weight", "10000")):
            try:
                folder = os.path.join(top, f"ampacity-bench-{os.getpid()}")
                os.mkdir(folder)
                self.top, self.folder = top, folder
                with open(os.path.join(folder, file), "w") as f:
                    f.write(most)
                self.move(folder)
                self.said = f"{file} {most}"
                return
            except OSError:
                self.end()
        skip("--first: the cpu cgroup cannot be written here")

    @staticmethod
    def move(folder):
        with open(os.path.join(folder, "cgroup.procs"), "w") as f:
            f.write(str(os.getpid()))

    def end(self):
        if not self.folder:
            return
        try:
            self.move(self.top)
            os.rmdir(self.folder)
        except OSError:
            pass
        self.folder = ""


def main():
    if not shutil.which("node") or not os.path.isdir(os.path.join(CONSOLE, "node_modules/playwright-core")):
        skip("node or the console's packages are not here: ./dev console")
    if not os.path.exists(os.environ.get("CHROMIUM", "/usr/bin/chromium")):
        skip("chromium is not installed")
    first = First("--first" in sys.argv)
    try:
        measured = measure()
    finally:
        first.end()
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False)
    measured.update(first=first.said, cpus=os.cpu_count(), compiler="g++", commit=commit.stdout.strip())
    print(json.dumps(measured))


def measure():
    nodes = int(option("--gpus", "45000")) // 8
    half = nodes // 2  # a kind has at most 4,096 nodes
    wanted = {"jobs": int(option("--jobs", "100000")), "changes": int(option("--changes", "1300")),
              "parts": option("--parts", ""), "run_ms": run_ms}
    with Cloud(emulate=f"h100:8x{half}", engine="stub",
               more=["--emulate", f"a100-80:8x{nodes - half}", "--stub-run-ms", str(run_ms)]) as c:
        if "not built" in c.call("GET", "/console/", key="").text:
            skip("this ampacityd was built without the console: ./dev console, then ./dev build")
        c.ok("POST", "/v1/credits", {"project": "demo", "amount": "50000000.00"})
        environment = {**os.environ, "AMPACITY_URL": f"http://127.0.0.1:{c.port}", "AMPACITY_OWNER_KEY": c.owner_key,
                       "AMPACITY_CUSTOMER_KEY": c.customer_key, "AMPACITY_BENCH": json.dumps(wanted)}
        done = subprocess.run(["node", os.path.join(CONSOLE, "journeys/bench.mjs")], env=environment,
                              stdout=subprocess.PIPE, text=True, check=False)
        if done.returncode != 0:
            print(done.stdout)
            sys.exit(1)
    return json.loads(done.stdout.splitlines()[-1])


main()
