"""What a server that follows does, with real containers: it answers reads from its own world, sends
writes on and shows them at once, passes logs and events on, says who leads; and when the leader is
killed or stopped it takes the running containers over: each goes on and is billed once."""

import subprocess
import threading
import time

from cloud import BIN, expect, need_podman, wait_for
from sites import Emulated, wait_until_reached
from standby import Database, Standby

need_podman()


def events_of(server, seen, stop):
    """Follows the live feed of one server until told to stop."""
    import http.client
    line = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
    line.request("GET", "/v1/events", headers={"Authorization": f"Bearer {server.customer_key}"})
    answer = line.getresponse()
    while not stop.is_set():
        text = answer.readline().decode()
        if not text:
            return
        if text.startswith("data: "):
            seen.append(text)


def reads_and_writes(follower):
    seen, stop = [], threading.Event()
    threading.Thread(target=events_of, args=(follower, seen, stop), daemon=True).start()
    time.sleep(0.3)
    for n in range(5):  # what was written here is read here
        job = follower.submit(f"echo hello {n}")
        expect(follower.job(job)["id"] == job, "a write through the follower is not seen there")
    ended = follower.wait(job)
    expect(ended["exit_code"] == 0, f"{ended}")
    expect(follower.log(job) == ["hello 4"], f"its log by the follower: {follower.log(job)}")
    wait_for("the follower's feed tells of it", lambda: any(job in e for e in list(seen)), 20)
    stop.set()
    again = follower.call("POST", "/v1/jobs", {}, headers={"Ampacity-Hops": "1"},
                          key=follower.customer_key)
    expect(again.status == 503 and "Retry-After" in again.headers, f"a second hop: {again.text}")
    unknown = follower.call("POST", "/v1/jobs", {}, key="amp_wrong")
    expect(unknown.status == 401, f"the leader refuses for it: {unknown.status} {unknown.text}")
    answer = follower.call("GET", "/v1/whoami")
    expect(int(answer.headers["Ampacity-Sequence"]) > 0, "an answer says what it shows")
    late = follower.call("GET", "/v1/jobs", headers={"Ampacity-Sequence": "99999999"})
    expect(late.status == 503, f"shown what it has not seen: {late.status}")
    follower.check_doctor()


def browse(server, cookie, method="GET", path="/v1/whoami", body=None, origin=None):
    """As a page of the console that this server gave."""
    headers = {"Origin": origin or f"http://127.0.0.1:{server.port}", "Ampacity-Console": "1", "Cookie": cookie}
    return server.call(method, path, body, key="", headers=headers)


def sessions(leader, follower):
    """One that begins at either server counts at both, and ends at both; a second one is kept."""
    cookies = []
    for server in (follower, leader):
        made = browse(server, "", "POST", "/v1/session", {"key": server.customer_key})
        expect(made.status == 201, f"signing in: {made.status} {made.text}")
        cookies.append(made.headers["Set-Cookie"].split(";")[0])
    expect(browse(follower, cookies[0]).status == 200, "it counts where it began, at once")
    expect(browse(leader, cookies[0]).status == 200, "and at the leader")
    wait_for("the leader's counts at the follower", lambda: browse(follower, cookies[1]).status == 200)
    foreign = browse(follower, cookies[0], "POST", "/v1/jobs", {}, origin="http://evil.example")
    expect(foreign.status == 403, f"from another's page, sent on: {foreign.status}")
    ours = browse(follower, cookies[0], "POST", "/v1/jobs", {})
    expect(ours.status == 400, f"from our own, sent on: {ours.status} {ours.text}")
    expect(browse(leader, cookies[0], "DELETE", "/v1/session").status == 204, "signing out")
    wait_for("it is over at the follower", lambda: browse(follower, cookies[0]).status == 401)
    return cookies[1]


def enter(server, job):
    """A terminal through this server, by the command line."""
    return subprocess.run([f"{BIN}/ampacity", "exec", job, "--", "echo", "inside"],
                          capture_output=True, text=True, timeout=30, check=False,
                          env={"AMPACITY_URL": f"http://127.0.0.1:{server.port}", "PATH": "/usr/bin:/bin",
                               "AMPACITY_KEY": server.customer_key, "HOME": server.dir})


def rent_at_two_sites(cloud):
    """A job at each of two sites beside this machine's."""
    east, west = Emulated(cloud, "east", "0.05"), Emulated(cloud, "west", "0.09")
    wait_until_reached(east, west)
    jobs = [cloud.submit("", resources={"gpus": "h100:1"}, command=["sleep", "3600"],
                         placement={"sites": [site.name]}) for site in (east, west)]
    wait_for("they truly run", lambda: all(f"{job}-1-0" in site.starts() for site, job in zip((east, west), jobs)))
    return (east, west), jobs


def check_both_sites(cloud, sites, jobs):
    """Of a new leader: the site it reaches is taken over; the one it does not is unknown, not empty."""
    east, west = sites
    for site in sites:
        site.cloud = cloud
    wait_for("east is taken over", lambda: f"{jobs[0]}-1-0" in east.noted("adopt"))
    expect(not west.view()["reachable"] and f"{jobs[1]}-1-0" not in west.noted("adopt"), "west is cut off")
    expect(cloud.job(jobs[1])["state"] == "running", "what runs there is not given up")
    west.open()
    wait_for("west is taken over", lambda: f"{jobs[1]}-1-0" in west.noted("adopt"))
    for job in jobs:
        expect(cloud.job(job)["state"] == "running" and cloud.job(job)["generation"] == 1, f"{cloud.job(job)}")
        cloud.ok("POST", f"/v1/jobs/{job}/stop")
    for site, job in zip(sites, jobs):
        cloud.wait(job)
        expect([len(at) for at in site.starts().values()] == [1], f"{site.name}: {site.starts()}")
        expect(len(cloud.receipt(job)["intervals"]) == 1, "billed once")


with Database() as database, Standby(database, engine="podman", emulate="h100:8x2",
                                     lease_ms=2000) as pair:
    leader, follower = pair.leader(), pair.follower()
    reads_and_writes(follower)
    cookie = sessions(leader, follower)

    sites, elsewhere = rent_at_two_sites(follower)
    script = "echo start >> /v/starts; sleep 9; wc -l < /v/starts; exit 3"
    job = follower.submit(script, volumes=["v:/v"])
    follower.wait(job, "running")
    inside = enter(follower, job)
    expect("inside" in inside.stdout, f"exec through the follower: {inside}")
    sites[1].cut()
    leader.kill9()
    killed = time.monotonic()
    expect(pair.leader(besides=leader, seconds=20) is follower, "it takes over")
    print(f"took over {time.monotonic() - killed:.2f} s after kill -9 (a lease of 2 s)", flush=True)
    expect(browse(follower, cookie).status == 200, "who was signed in at the dead leader still is")
    check_both_sites(follower, sites, elsewhere)
    ended = follower.wait(job)
    expect(ended["exit_code"] == 3 and ended["generation"] == 1, f"{ended}")
    expect(follower.log(job) == ["1"], f"started more than once: {follower.log(job)}")
    receipt = follower.receipt(job)
    expect(len(receipt["intervals"]) == 1, f"{receipt}")
    expect(9 <= receipt["intervals"][0]["billed_s"] <= 13, f"{receipt}")

    leader.start()  # it follows now
    expect(pair.follower() is leader, "the first server follows after its start")
    stopped = time.monotonic()
    follower.stop()
    expect(pair.leader(seconds=20) is leader, "it leads again")
    print(f"took over {time.monotonic() - stopped:.2f} s after the leader was asked to stop", flush=True)
    leader.check_books()
    leader.check_doctor()
    down = leader.call("GET", f"/v1/jobs/{job}")
    expect(down.status == 200 and down.json["exit_code"] == 3, f"{down.text}")
print("followed, forwarded, took over")
