"""A full disk: writes are refused clearly, reads go on, nothing acknowledged is lost, and once there is
space the same server goes on."""

import os
import subprocess
import tempfile

from cloud import ON_POSTGRES, Cloud, expect, skip, wait_for

if ON_POSTGRES:
    skip("a full disk of PostgreSQL's ends PostgreSQL: store_test has its refusal")

mount = tempfile.mkdtemp(prefix="ampacity-full-", dir="/var/tmp")
mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=32m", "tmpfs", mount], check=False,
                         capture_output=True, text=True)
if mounted.returncode != 0:
    os.rmdir(mount)
    skip("cannot mount a small tmpfs here: " + mounted.stderr.strip())
try:
    with Cloud(engine="stub", state=mount + "/state", more=["--stub-run-ms", "20"]) as cloud:
        ballast = os.path.join(mount, "ballast")
        kept = [cloud.submit("true") for _ in range(20)]
        with open(ballast, "wb", buffering=0) as f:
            try:
                while True:
                    f.write(b"\0" * 4096)
            except OSError:
                pass
        refused = None
        for _ in range(2000):
            a = cloud.call("POST", "/v1/jobs", {"image": "x", "command": ["y" * 2000]}, cloud.customer_key)
            if a.status == 201:
                kept.append(a.json["id"])
                continue
            refused = a
            break
        expect(refused is not None and refused.status == 507, f"a full disk: {refused and refused.text}")
        expect("disk is full" in refused.json["detail"], refused.text)
        expect(cloud.call("GET", "/v1/offers").status == 200, "reads go on")
        os.remove(ballast)
        more = wait_for("space again", lambda: (a := cloud.call(
            "POST", "/v1/jobs", {"image": "x"}, cloud.customer_key)).status == 201 and a.json["id"])
        kept.append(more)
        for job in kept:
            cloud.wait(job)
        cloud.kill9()
        cloud.start()
        for job in kept:
            expect(cloud.job(job)["state"] == "ended", f"{job} was acknowledged and is gone")
        cloud.check_books()
        print(f"full disk: {len(kept)} acknowledged jobs are all there, the refused one said why")
finally:
    subprocess.run(["umount", mount], check=False)
    os.rmdir(mount)
