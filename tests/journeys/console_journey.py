#!/usr/bin/env python3
"""The console in a real Chromium, before a real ampacityd with real containers: every page light and
dark under axe, and what people do there. `console_journey.py NAME…` runs only those of
console/journeys/NAME.journey.mjs; AMPACITY_KEEP=1 leaves the cloud running and prints its address."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time

from cloud import Cloud, expect, need_podman, skip

HERE = os.path.dirname(os.path.abspath(__file__))
CONSOLE = os.path.join(HERE, "../../console")


def seed(c):
    """What the pages have to show."""
    made = {}
    gpus = {"gpus": "h100:8", "cpus": "0.1", "memory": "64MiB"}
    made["running"] = c.submit("echo epoch 1; echo epoch 2; sleep 600", name="train-demo", resources=gpus)
    made["waiting"] = c.submit("sleep 5", name="sweep-large", time="2h",
                               resources={"gpus": "h100:8x4", "cpus": "0.1", "memory": "64MiB"})
    made["ended"] = c.submit("echo hello", name="hello")
    made["failed"] = c.submit("echo no such data >&2; exit 3", name="preprocess")
    c.ok("PATCH", "/v1/issuer", {"name": "Ampacity Cloud Inc.", "street": "1 Busbar Road", "city": "Springfield",
                                 "country": "US", "bank": "IBAN DE89 3704 0044 0532 0130 00"})
    c.ok("PATCH", "/v1/orgs/acme/billing", {"party": {"name": "Acme GmbH", "street": "Weg 7", "city": "Berlin",
                                                      "postal_code": "10115", "country": "DE"},
                                            "tax_category": "O", "tax_note": "outside the scope of tax"})
    c.ok("POST", "/v1/orgs/acme/lines", {"description": "Onboarding", "amount": "5.00"})
    made["invoice"] = c.ok("POST", "/v1/invoices", {"org": "acme", "until": "now"})["number"]
    c.ok("POST", "/v1/reservations", {"name": "night-run", "gpus": "h100:8x2", "from": "+20h", "duration": "4h",
                                      "project": "demo"})
    later = time.gmtime(time.time() + 32 * 86_400)
    c.ok("POST", "/v1/contracts", {"org": "acme", "name": "frame", "from": time.strftime("%Y-%m", later), "months": 24,
                                   "ramp": [{"month": 0, "amount": "720"}, {"month": 6, "amount": "1440"}],
                                   "sku": "h100", "price": "2.90", "renews": True})
    c.ok("PUT", "/v1/budgets", {"name": "november", "project": "demo", "limit": "500usd", "per": "month", "alerts": [50, 80]})
    c.wait(made["running"], "running")
    c.wait(made["ended"])
    c.wait(made["failed"])
    return made


def main():
    need_podman()
    if not shutil.which("node"):
        skip("node is not installed")
    if not os.path.exists(os.environ.get("CHROMIUM", "/usr/bin/chromium")):
        skip("chromium is not installed")
    if not os.path.isdir(os.path.join(CONSOLE, "node_modules/playwright-core")):
        skip("the console's npm packages are not installed: ./dev console")
    with Cloud(emulate="h100:8x4") as c:
        if os.environ.get("AMPACITY_KEEP"):
            seed(c)
            print(f"http://127.0.0.1:{c.port}/console/\noperator {c.owner_key}\ncustomer {c.customer_key}\nSIGINT ends it", flush=True)
            signal.pause()
        first = c.call("GET", "/console/", key="")
        expect(first.status == 200, f"the console: {first.status}")
        if "not built" in first.text:
            skip("this ampacityd was built without the console: ./dev console, then ./dev build")
        environment = {**os.environ, "AMPACITY_URL": f"http://127.0.0.1:{c.port}", "AMPACITY_OWNER_KEY": c.owner_key,
                       "AMPACITY_CUSTOMER_KEY": c.customer_key, "AMPACITY_SEED": json.dumps(seed(c))}
        done = subprocess.run(["node", os.path.join(CONSOLE, "journeys/run.mjs"), *sys.argv[1:]], env=environment, check=False)
        expect(done.returncode == 0, "a journey in Chromium failed")


main()
