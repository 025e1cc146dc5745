"""Bad input gets a problem that names every wrong field, changes nothing and crashes nothing."""

import json
import os
import socket
import subprocess

from cloud import BIN, Cloud, expect

BODY = {"image": "localhost/x"}
# (what, body, status, the fields its problem must name)
BODIES = [
    ("unknown field", {**BODY, "imagee": "x"}, 400, ["imagee"]),
    ("missing image", {}, 400, ["image"]),
    ("wrong types", {"image": 5, "command": "ls", "env": []}, 400, ["image", "command", "env"]),
    ("many wrong", {**BODY, "name": "Ä", "time": "-1s", "retries": 99, "volumes": ["/etc:/x"]}, 400,
     ["name", "time", "retries", "volumes[0]"]),
    ("host mount", {**BODY, "volumes": ["../x:/y"]}, 400, ["volumes[0]"]),
    ("zero GPUs", {**BODY, "resources": {"gpus": "h100:0"}}, 400, ["resources.gpus"]),
    ("negative GPUs", {**BODY, "resources": {"gpus": "h100:-8"}}, 400, ["resources.gpus"]),
    ("no such GPU", {**BODY, "resources": {"gpus": "tpu:8"}}, 400, ["resources.gpus"]),
    ("never", {**BODY, "resources": {"gpus": "h100:16"}}, 422, []),
    ("never, nodes", {**BODY, "resources": {"gpus": "h100:8x9"}}, 422, []),
    ("no CPU", {**BODY, "resources": {"cpus": "0"}}, 400, ["resources.cpus"]),
    ("reserved", {**BODY, "job_class": "reserved"}, 400, ["job_class"]),
    ("class", {**BODY, "job_class": "vip"}, 400, ["job_class"]),
    ("our names", {**BODY, "env": {"AMPACITY_RANK": "7"}}, 400, ["env.AMPACITY_RANK"]),
    ("NUL", {**BODY, "command": ["a\u0000b"]}, 400, ["command"]),
]
RAW = [
    ("not JSON", b"{", 400), ("empty", b"", 400), ("bad UTF-8", b'{"image":"\xff\xfe"}', 400),
    ("deep", b'{"image":' + b"[" * 100 + b"]" * 100 + b"}", 400), ("two", b"{}{}", 400),
    ("10 MB", b'{"image":"' + b"x" * 10_000_000 + b'"}', 413),
]
KEYS = ["", "x", "amp_short", "amp_" + "a" * 32 + "_000000", "ümläut"]


def raw_http(cloud, text):
    with socket.create_connection(("127.0.0.1", cloud.port), timeout=30) as s:
        s.settimeout(30)
        try:
            s.sendall(text)
            return s.recv(4096).decode(errors="replace").split("\r\n")[0]
        except (ConnectionResetError, BrokenPipeError):
            return "reset"


with Cloud(engine="stub", more=["--stub-run-ms", "1000"]) as cloud:
    before = cloud.ok("GET", "/v1/ledger/accounts")
    for what, body, status, fields in BODIES:
        a = cloud.call("POST", "/v1/jobs", body, cloud.customer_key)
        expect(a.status == status, f"{what}: {a.status} {a.text}")
        expect(a.headers.get("Content-Type") == "application/problem+json", f"{what}: {a.headers}")
        named = [w["field"] for w in a.json["wrong"]]
        expect(sorted(named) == sorted(fields), f"{what}: named {named}, not {fields}: {a.text}")
        expect(a.json["detail"], f"{what}: no detail")
    for what, raw, status in RAW:
        try:
            a = cloud.call("POST", "/v1/jobs", key=cloud.customer_key, raw=raw)
            expect(a.status == status, f"{what}: {a.status} {a.text[:300]}")
        except OSError as e:  # the server answered and hung up before the body was all sent
            expect(what == "10 MB", f"{what}: {e}")
    for key in KEYS:
        a = cloud.call("GET", "/v1/offers", key=key.encode().decode("latin-1"))
        expect(a.status == 401, f"key {key!r}: {a.status}")
    for path, status in (("/v1/nothing", 404), ("/v1/jobs/job-zzz", 404), ("/v1/jobs/..%2f..", 404),
                         ("/v1/usage?by=colour", 400), ("/v1/usage?from=yesterday", 400),
                         ("/v1/jobs?state=asleep", 400), ("/v1/jobs?limit=-5", 200),
                         ("/v1/jobs?cursor=%ff", 400), ("/v1/nodes?cursor=-1", 400)):
        a = cloud.call("GET", path)
        expect(a.status == status, f"{path}: {a.status} {a.text}")
    expect(cloud.call("PUT", "/v1/jobs", {}).status == 405, "PUT /v1/jobs")
    for amount in ("-5", "0", "0.001", "1e9", "", "99999999999999999999"):
        a = cloud.call("POST", "/v1/credits", {"project": "demo", "amount": amount})
        expect(a.status == 400 and a.json["wrong"][0]["field"] == "amount", f"{amount}: {a.text}")
    lines = [raw_http(cloud, b"GARBAGE\r\n\r\n"),
             raw_http(cloud, b"GET / HTTP/1.1\r\nHost: x\r\nX: " + b"y" * 100_000 + b"\r\n\r\n"),
             raw_http(cloud, b"POST /v1/jobs HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n"
                             b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n")]
    expect(all(" 4" in line or line == "reset" for line in lines), f"raw HTTP: {lines}")

    path = os.path.join(cloud.dir, "job.yaml")
    environment = {**os.environ, "AMPACITY_URL": f"http://127.0.0.1:{cloud.port}",
                   "AMPACITY_KEY": cloud.customer_key, "AMPACITY_CONFIG": cloud.dir + "/none"}
    for text, says in (("image: [x\nname: y\n", "line"), ("image: x\nimagine: y\n", "imagine"),
                       ("image: x\nresources: {gpus: h100:99}\n", "GPUs per node")):
        open(path, "w").write(text)
        r = subprocess.run([f"{BIN}/ampacity", "run", "-f", path], capture_output=True, text=True,
                           timeout=30, env=environment, check=False)
        expect(r.returncode == 2 and says in r.stderr, f"{text!r}: {r}")

    expect(cloud.ok("GET", "/v1/ledger/accounts") == before, "a refused request moved money")
    expect(cloud.ok("GET", "/v1/jobs?all=1")["items"] == [], "a refused request made a job")
    document = cloud.call("GET", "/openapi.json", key="").json
    expect(json.dumps(document) and document["openapi"] == "3.1.0", "the document")
    cloud.check_books()
    print(f"{len(BODIES) + len(RAW)} bodies, {len(KEYS)} keys: refused, nothing changed")
