"""Two sites, one of them cut off and back: what both kinds of site go through (sites_journey.py,
sites_slurm_journey.py). A site has name, cut(), open(), view(), ran(): by name of a rank the instants
of its starts and of its ends, as the site itself knows them."""

import os
import time

from cloud import expect, wait_for

SHORT = {"site_unknown": "5s", "site_lease": "6s", "site_grace": "2s"}


class Site:
    def __init__(self, cloud, name):
        self.cloud, self.name = cloud, name

    def view(self):
        return self.cloud.ok("GET", f"/v1/sites/{self.name}")

    def starts(self):
        return self.ran()[0]

    def ends(self):
        return self.ran()[1]


class Emulated(Site):
    """Reached while its door is there; its record says what truly ran."""

    def __init__(self, cloud, name, power):
        super().__init__(cloud, name)
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

    def noted(self, what):
        """By name of a rank: when that was noted of it."""
        found = {}
        for kind, rank, at in map(str.split, open(self.record)):
            if kind == what:
                found.setdefault(rank, []).append(int(at) / 1e6)
        return found

    def ran(self):
        return self.noted("start"), self.noted("end")


def wait_until_reached(*sites):
    for site in sites:
        wait_for(f"{site.name} is reached", lambda s=site: (v := s.view())["reachable"] and v["nodes"])


def stop_all(cloud, *jobs):
    for job in jobs:
        cloud.ok("POST", f"/v1/jobs/{job}/stop")
    for job in jobs:
        cloud.wait(job)


def cut_off_and_back(cloud, east, west, job, cut_s, strays_within_s=30):
    """`east` is the one that jobs prefer. `job(gpus, seconds, **fields)` submits one."""
    long = cut_s + 3600
    mover = job(4, long, name="mover", if_site_lost="move")
    stays = job(2, long, name="stays")
    ends = job(1, max(6, cut_s // 2), name="ends-meanwhile")
    for one in (mover, stays, ends):
        expect(cloud.wait(one, "running")["site"] == "east", f"{one} is not at the cheaper site")
    wait_for("they truly run", lambda: {f"{j}-1-0" for j in (mover, stays, ends)} <= set(east.starts()))

    time.sleep(1)
    cut_at = time.time()
    east.cut()
    wait_for("east is unknown", lambda: east.view().get("unknown_since"), 90)
    view = east.view()
    expect(not view["reachable"] and view["jobs_moving"] == 1 and view["next"], f"{view}")
    elsewhere = job(1, long, name="elsewhere")
    expect(cloud.wait(elsewhere, "running")["site"] == "west", "work begins at an unknown site")
    only = job(1, long, name="only-east", placement={"sites": ["east"]})
    why = cloud.ok("GET", f"/v1/jobs/{only}/why")
    expect(why["constraint"] == "unreachable" and "east" in why["why"], f"{why}")

    moved = wait_for("the mover runs elsewhere", lambda: (j := cloud.job(mover))["generation"] == 2
                     and j["state"] == "running" and j, 300)
    moved_s = time.time() - cut_at
    expect(moved["site"] == "west", f"{moved}")
    expect(cloud.job(stays)["generation"] == 1 and cloud.job(stays)["state"] == "running", "stays")
    print(f"cut off: unknown, and the mover runs elsewhere {moved_s:.1f} s after", flush=True)

    time.sleep(max(0, cut_at + cut_s - time.time()))
    expect(f"{mover}-1-0" not in east.ends(), "it was ended while the site was cut off")
    back_at = time.time()
    east.open()
    wait_for("strays are gone", lambda: f"{mover}-1-0" in east.ends(), strays_within_s)
    gone_s = time.time() - back_at
    wait_for("east is open", lambda: not (v := east.view()).get("unknown_since") and not v["clearing"])
    print(f"back after {back_at - cut_at:.0f} s: strays gone after {gone_s:.1f} s", flush=True)
    expect(cloud.wait(only, "running")["site"] == "east", "it is not open again")
    seen = cloud.wait(ends)
    expect(seen["outcome"] == "succeeded" and seen["generation"] == 1, f"ended meanwhile: {seen}")
    expect(cloud.job(stays)["generation"] == 1, "who waits for its site was started again")
    stop_all(cloud, mover, stays, elsewhere, only)
    check_what_ran(cloud, east, west, mover, (stays, ends), cut_at)


def check_what_ran(cloud, east, west, mover, waited, cut_at):
    """What truly ran, and what was billed: nothing twice."""
    everywhere = {}
    for site in (east, west):
        for rank, at in site.starts().items():
            everywhere.setdefault(rank, []).extend(at)
    twice = {rank: at for rank, at in everywhere.items() if len(at) > 1}
    expect(not twice, f"started twice: {twice}")
    first, second = cloud.receipt(mover)["intervals"]
    expect(first["billed_s"] <= cut_at - everywhere[f"{mover}-1-0"][0] + 3,
           f"billed past the cut: {first}")
    expect(first["ended_at"] <= second["started_at"], f"two intervals at once: {first} {second}")
    starts, ends = east.ran()
    for job in waited:
        rank = f"{job}-1-0"
        truly = ends[rank][0] - starts[rank][0]
        billed = cloud.job(job)["billed_s"]
        expect(abs(truly - billed) <= 3, f"{job} ran {truly:.1f} s and is billed {billed}")
    wait_for("every hold released", lambda: all(
        a["debits_pending"] == 0 for a in cloud.ok("GET", "/v1/ledger/accounts")["items"]))
    cloud.check_books()
    cloud.check_doctor()
    print(f"{len(everywhere)} ranks ran: 0 double starts, 0 double billing, books and doctor clean",
          flush=True)
