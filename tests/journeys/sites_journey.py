"""Two sites beside this machine's own, both emulated, one of them cut off and back: its leases stay,
what may move is given up and starts again elsewhere, what was given up is removed when it is back and
never billed. AMPACITY_CUT_S: how long it is cut off at the policy's own times (./dev soak: 300);
without it everything is shortened."""

import os
import time

from cloud import Cloud, expect, wait_for

CUT_S = int(os.environ.get("AMPACITY_CUT_S", "0"))


class Site:
    """An emulated site: reached while its door is there; its record says what truly ran."""

    def __init__(self, cloud, name, power):
        self.cloud, self.name = cloud, name
        self.door = os.path.join(cloud.dir, f"{name}.door")
        self.record = os.path.join(cloud.dir, f"{name}.record")
        self.open()
        open(self.record, "w").close()
        view = cloud.ok("POST", "/v1/sites", {
            "name": name, "engine": "emulated", "url": "emulated:h100:8x1", "region": "us",
            "power_usd_per_kwh": power, "pue": "1.25",
            "options": [f"door={self.door}", f"record={self.record}"]})
        expect(view["power_usd_per_kwh"].startswith(power) and view["pue"] == "1.25", f"{view}")

    def open(self):
        open(self.door, "w").close()

    def cut(self):
        os.remove(self.door)

    def view(self):
        return self.cloud.ok("GET", f"/v1/sites/{self.name}")

    def ran(self):
        """By name of a rank: the instants (s) of its starts, and of its ends."""
        starts, ends = {}, {}
        for line in open(self.record):
            what, rank, at = line.split()
            if what != "adopt":
                (starts if what == "start" else ends).setdefault(rank, []).append(int(at) / 1e6)
        return starts, ends


def gpu_job(cloud, gpus, seconds, **fields):
    return cloud.submit("", resources={"gpus": f"h100:{gpus}"}, command=["sleep", str(seconds)],
                        **fields)


with Cloud(emulate=None, engine="stub") as cloud:
    bad = cloud.call("POST", "/v1/sites", {"name": "x", "engine": "podman", "url": "unix:/x"})
    expect(bad.status == 400 and "this machine only" in bad.text, f"podman elsewhere: {bad.text}")
    bad = cloud.call("POST", "/v1/sites", {"name": "x", "engine": "slurm", "url": "ftp://x",
                                           "pue": "0.5", "power_usd_per_kwh": "-1",
                                           "token_file": "relative"})
    expect(bad.status == 400 and all(f in bad.text for f in ("pue", "power", "token_file")),
           f"each wrong field is named: {bad.text}")
    east, west = Site(cloud, "east", "0.05"), Site(cloud, "west", "0.09")
    if not CUT_S:
        cloud.ok("PATCH", "/v1/policy", {"site_unknown": "5s", "site_lease": "6s", "site_grace": "2s"})
    for site in (east, west):
        wait_for(f"{site.name} is reached", lambda s=site: (v := s.view())["reachable"] and v["nodes"] == 1)
    sites = {s["site"] for o in cloud.ok("GET", "/v1/offers")["items"] if o["sku"] == "h100"
             for s in o["sites"]}
    expect(sites == {"east", "west"}, f"offers at {sites}")

    # At the same price the cheaper power is taken.
    long = CUT_S + 3600
    mover = gpu_job(cloud, 4, long, name="mover", if_site_lost="move")
    stays = gpu_job(cloud, 2, long, name="stays")
    cut_s = CUT_S or 14
    ends = gpu_job(cloud, 1, max(4, cut_s // 2), name="ends-meanwhile")
    for job in (mover, stays, ends):
        expect(cloud.wait(job, "running")["site"] == "east", f"{job} is not at the cheaper site")

    time.sleep(2)
    cut_at = time.time()
    east.cut()
    wait_for("east is unknown", lambda: east.view().get("unknown_since"), 60)
    view = east.view()
    expect(not view["reachable"] and view["jobs_moving"] == 1 and view["next"], f"{view}")
    elsewhere = gpu_job(cloud, 1, long, name="elsewhere")
    expect(cloud.wait(elsewhere, "running")["site"] == "west", "work begins at an unknown site")
    only = gpu_job(cloud, 1, long, name="only-east", placement={"sites": ["east"]})
    why = cloud.ok("GET", f"/v1/jobs/{only}/why")
    expect(why["constraint"] == "unreachable" and "east" in why["why"], f"{why}")

    moved = wait_for("the mover runs elsewhere", lambda: (j := cloud.job(mover))["generation"] == 2
                     and j["state"] == "running" and j, 240)
    expect(moved["site"] == "west", f"{moved}")
    expect(cloud.job(stays)["generation"] == 1 and cloud.job(stays)["state"] == "running", "stays")
    print(f"cut off: unknown, the mover runs elsewhere {time.time() - cut_at:.1f} s after", flush=True)

    time.sleep(max(0, cut_at + cut_s - time.time()))
    expect(len(east.ran()[1].get(f"{mover}-1-0", [])) == 0, "it was ended while it was cut off")
    back_at = time.time()
    east.open()
    wait_for("strays are gone", lambda: f"{mover}-1-0" in east.ran()[1], 30)
    gone_s = time.time() - back_at
    wait_for("east is open", lambda: not (v := east.view()).get("unknown_since") and not v["clearing"])
    print(f"back: strays gone after {gone_s:.1f} s", flush=True)
    expect(cloud.wait(only, "running")["site"] == "east", "it is open again")
    seen = cloud.wait(ends)
    expect(seen["outcome"] == "succeeded" and seen["generation"] == 1, f"ended meanwhile: {seen}")
    expect(cloud.job(stays)["generation"] == 1, "who waits for its site is not started again")

    for job in (mover, stays, elsewhere, only):
        cloud.ok("POST", f"/v1/jobs/{job}/stop")
        cloud.wait(job)

    # What truly ran, and what was billed.
    double_starts = 0
    everywhere = {}
    for site in (east, west):
        starts, _ = site.ran()
        for rank, at in starts.items():
            everywhere.setdefault(rank, []).extend(at)
    double_starts = sum(len(at) > 1 for at in everywhere.values())
    expect(double_starts == 0, f"started twice: {everywhere}")
    first, second = cloud.receipt(mover)["intervals"]
    expect(first["billed_s"] <= cut_at - everywhere[f"{mover}-1-0"][0] + 2,
           f"billed past the cut: {first}")
    expect(first["ended_at"] <= second["started_at"], f"two intervals at once: {first} {second}")
    starts, ended = east.ran()
    for job in (stays, ends):
        rank = f"{job}-1-0"
        truly = ended[rank][0] - starts[rank][0]
        billed = cloud.job(job)["billed_s"]
        expect(truly - 1 <= billed <= truly + 2, f"{job} ran {truly:.1f} s and is billed {billed}")
    wait_for("every hold released", lambda: all(
        a["debits_pending"] == 0 for a in cloud.ok("GET", "/v1/ledger/accounts")["items"]))
    cloud.check_books()
    cloud.check_doctor()
    print("0 double starts, 0 double billing, books and doctor clean", flush=True)

    # Sites outlive the server; one that is in use is not removed.
    cloud.stop()
    cloud.start()
    wait_for("west is reached again", lambda: west.view()["reachable"])
    job = gpu_job(cloud, 1, long, placement={"sites": ["west"]})
    refused = cloud.call("DELETE", "/v1/sites/west")
    expect(refused.status == 409 and "leased there" in refused.text, f"{refused.text}")
    cloud.ok("PATCH", "/v1/sites/west", {"state": "draining"})
    cloud.ok("POST", f"/v1/jobs/{job}/stop")
    cloud.wait(job)
    cloud.ok("DELETE", "/v1/sites/west")
    expect(cloud.call("GET", "/v1/sites/west").status == 404, "a removed site is shown")
    expect(cloud.call("DELETE", "/v1/sites/home").status == 409, "this machine's own was removed")
    cloud.check_doctor()
    print("sites kept over a restart, drained and removed: ok")
