"""Two sites beside this machine's own, both emulated, one of them cut off and back; sites kept over a
restart, drained, removed. Shortened; --full (./dev soak sites): cut off for 5 minutes, at the policy's
own times. With real Slurm: sites_slurm_journey.py."""

import sys

from cloud import Cloud, expect, wait_for
from sites import SHORT, Emulated, cut_off_and_back, stop_all, wait_until_reached

CUT_S = 300 if "--full" in sys.argv else 0


with Cloud(emulate=None, engine="stub") as cloud:
    def gpu_job(gpus, seconds, **fields):
        return cloud.submit("", resources={"gpus": f"h100:{gpus}"}, command=["sleep", str(seconds)],
                            **fields)

    bad = cloud.call("POST", "/v1/sites", {"name": "x", "engine": "podman", "url": "unix:/x"})
    expect(bad.status == 400 and "this machine only" in bad.text, f"podman elsewhere: {bad.text}")
    bad = cloud.call("POST", "/v1/sites", {"name": "x", "engine": "slurm", "url": "ftp://x",
                                           "pue": "0.5", "power_usd_per_kwh": "-1",
                                           "token_file": "relative"})
    expect(bad.status == 400 and all(f in bad.text for f in ("pue", "power", "token_file")),
           f"each wrong field is named: {bad.text}")
    east, west = Emulated(cloud, "east", "0.05"), Emulated(cloud, "west", "0.09")
    if not CUT_S:
        cloud.ok("PATCH", "/v1/policy", SHORT)
    wait_until_reached(east, west)
    sites = {s["site"] for o in cloud.ok("GET", "/v1/offers")["items"] if o["sku"] == "h100"
             for s in o["sites"]}
    expect(sites == {"east", "west"}, f"offers at {sites}")

    cut_off_and_back(cloud, east, west, gpu_job, CUT_S or 12)

    # Sites outlive the server; one that is in use is not removed.
    cloud.stop()
    cloud.start()
    wait_until_reached(east, west)
    job = gpu_job(1, 3600, placement={"sites": ["west"]})
    refused = cloud.call("DELETE", "/v1/sites/west")
    expect(refused.status == 409 and "leased there" in refused.text, f"{refused.text}")
    cloud.ok("PATCH", "/v1/sites/west", {"state": "draining"})
    stop_all(cloud, job)
    cloud.ok("DELETE", "/v1/sites/west")
    expect(cloud.call("GET", "/v1/sites/west").status == 404, "a removed site is shown")
    expect(cloud.call("DELETE", "/v1/sites/home").status == 409, "this machine's own was removed")
    cloud.check_doctor()
    print("sites kept over a restart, drained and removed: ok")
