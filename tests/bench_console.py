"""./dev bench console: the console in real headless Chromium before a real ampacityd with 45,000 emulated
GPUs and a stub engine: what the first load weighs, when it can be used, frames a second of the heat map
while jobs begin and end, how late a change is on the screen, and whether a long list stays whole.
--gpus N --changes N (a second) --jobs N (in the list) --parts firstLoad,heatMap,… --nice (root: server and
browser before others' work, which the result says)."""

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


def main():
    if not shutil.which("node") or not os.path.isdir(os.path.join(CONSOLE, "node_modules/playwright-core")):
        skip("node or the console's packages are not here: ./dev console")
    if not os.path.exists(os.environ.get("CHROMIUM", "/usr/bin/chromium")):
        skip("chromium is not installed")
    nice = -10 if "--nice" in sys.argv else 0
    if nice:
        os.nice(nice)
    nodes = int(option("--gpus", "45000")) // 8
    half = nodes // 2  # a kind has at most 4,096 nodes
    wanted = {"jobs": int(option("--jobs", "100000")), "changes": int(option("--changes", "1000")),
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
    measured = json.loads(done.stdout.splitlines()[-1])
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False)
    measured.update(nice=nice, cpus=os.cpu_count(), compiler="g++", commit=commit.stdout.strip())
    print(json.dumps(measured))


main()
