"""./dev bench start: from asking to the container's own start, through Ampacity and through podman's API
alone, turn about in one run, with the same image, limits and isolation. Median of --rounds."""

import datetime
import http.client
import json
import os
import platform
import socket
import statistics
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "journeys"))
from cloud import Cloud, TINY, need_podman  # noqa: E402

need_podman()
rounds = int(sys.argv[sys.argv.index("--rounds") + 1]) if "--rounds" in sys.argv else 20


class Unix(http.client.HTTPConnection):
    def __init__(self, path):
        super().__init__("d", timeout=30)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(30)
        self.sock.connect(self.path)


def podman(path, method, target, body=None):
    c = Unix(path)
    c.request(method, f"/v4.0.0/libpod{target}", json.dumps(body) if body else None,
              {"Content-Type": "application/json"})
    r = c.getresponse()
    data = r.read()
    if r.status >= 400:
        raise RuntimeError(f"{target}: {r.status} {data}")
    return json.loads(data) if data else None


def instant(text):
    """Seconds since 1970 of an RFC 3339 time in UTC with up to nine decimals."""
    head, _, fraction = text.rstrip("Z").partition(".")
    if "+" in fraction:
        fraction = fraction.split("+")[0]
    t = datetime.datetime.strptime(head, "%Y-%m-%dT%H:%M:%S").replace(tzinfo=datetime.timezone.utc)
    return t.timestamp() + float("0." + (fraction or "0"))


def spec(name, uid):
    mapping = [{"container_id": 0, "host_id": uid, "size": 65536}]
    return {"name": name, "image": TINY, "command": ["sh", "-c", "sleep 0.2"], "cap_drop": ["ALL"],
            "no_new_privileges": True, "hostname": name, "stop_timeout": 30, "restart_policy": "no",
            "r_limits": [{"type": "nofile", "soft": 4096, "hard": 4096},
                         {"type": "nproc", "soft": 4096, "hard": 4096}],
            "resource_limits": {"memory": {"limit": 64 << 20, "swap": 64 << 20},
                                "cpu": {"quota": 10000, "period": 100000}, "pids": {"limit": 4096}},
            "userns": {"nsmode": "private"}, "netns": {"nsmode": "none"},
            "idmappings": {"HostUIDMapping": False, "HostGIDMapping": False, "UIDMap": mapping,
                           "GIDMap": mapping},
            "log_configuration": {"driver": "k8s-file"}}


def through_podman(sock, i, uid):
    name = f"bench-{i}"
    asked = time.time()
    podman(sock, "POST", "/containers/create", spec(name, uid))
    podman(sock, "POST", f"/containers/{name}/start")
    started = instant(podman(sock, "GET", f"/containers/{name}/json")["State"]["StartedAt"])
    for _ in range(10):  # its clean-up process may still hold a mount
        time.sleep(0.4)
        try:
            podman(sock, "DELETE", f"/containers/{name}?force=true&v=true")
            break
        except RuntimeError:
            pass
    return (started - asked) * 1000


def through_ampacity(cloud):
    asked = time.time()
    job = cloud.submit("sleep 0.2")
    ended = cloud.wait(job)
    time.sleep(0.2)
    return (instant(ended["started_at"]) - asked) * 1000


with Cloud(emulate=None) as cloud:
    through_ampacity(cloud)  # the image is imported
    sock = os.path.realpath(os.path.join(cloud.state, "podman", "run")) + "/p.sock"
    through_podman(sock, "warm", 1_000_000)
    ours, theirs = [], []
    for i in range(rounds):
        ours.append(through_ampacity(cloud))
        theirs.append(through_podman(sock, i, 1_000_000))
    added = [a - b for a, b in zip(ours, theirs)]
    print(json.dumps({
        "bench": "start", "ampacity_ms_p50": round(statistics.median(ours), 1),
        "engine_ms_p50": round(statistics.median(theirs), 1),
        "added_ms_p50": round(statistics.median(added), 1), "rounds": rounds,
        "cpus": os.cpu_count(), "compiler": platform.python_compiler(),
        "commit": subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True,
                                 text=True, check=False).stdout.strip()}))
