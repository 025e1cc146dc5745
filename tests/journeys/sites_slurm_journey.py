"""The same with two real Slurm clusters on this machine (examples/slurm/cluster.sh), their GPUs
emulated: one is cut off by stopping its slurmrestd, and back. Shortened; --full (./dev soak sites): for
5 minutes, at the policy's own times."""

import os
import shutil
import subprocess
import sys
import tempfile

from cloud import Cloud, skip
from sites import SHORT, Site, cut_off_and_back, wait_until_reached

CUT_S = 300 if "--full" in sys.argv else 0
CLUSTER = os.path.abspath("examples/slurm/cluster.sh")

for program in ("munged", "slurmctld", "slurmd", "slurmrestd"):
    if not shutil.which(program, path=os.environ["PATH"] + ":/usr/sbin"):
        skip(f"{program} is not installed")


def cluster(verb, folder, *more):
    return subprocess.run([CLUSTER, verb, folder, *more], check=True, capture_output=True, text=True,
                          timeout=120).stdout


class Slurm(Site):
    """Its ranks write down themselves when they start and end."""

    def __init__(self, cloud, folder, name, power):
        super().__init__(cloud, name)
        self.folder = os.path.join(folder, name)
        self.record = os.path.join(folder, f"{name}.record")
        cluster("up", self.folder, "--nodes", "1")
        cloud.ok("POST", "/v1/sites", {
            "name": name, "engine": "slurm", "url": f"unix:{self.folder}/run/restd.socket",
            "region": "us", "power_usd_per_kwh": power,
            "options": [f"shared={self.folder}/shared", f"conf={self.folder}/etc/slurm.conf",
                        "lease=20m"]})

    def cut(self):
        cluster("stop", self.folder, "restd")

    def open(self):
        cluster("start", self.folder, "restd")

    def ran(self):
        """As slurmctld has it, asked past slurmrestd."""
        starts, ends = {}, {}
        for line in cluster("run", self.folder, "env", "SLURM_TIME_FORMAT=%s", "scontrol", "show",
                            "job", "-o").splitlines():
            job = dict(f.split("=", 1) for f in line.split() if "=" in f)
            if not job.get("JobName", "").startswith("job-") or not job["StartTime"].isdigit():
                continue
            if job["JobState"] in ("PENDING", "CANCELLED") and job["RunTime"] == "00:00:00":
                continue
            starts.setdefault(job["JobName"], []).append(int(job["StartTime"]))
            if job["JobState"] not in ("RUNNING", "COMPLETING", "PENDING", "CONFIGURING"):
                ends.setdefault(job["JobName"], []).append(int(job["EndTime"]))
        return starts, ends


folder = tempfile.mkdtemp(prefix="amp-sites-", dir="/var/tmp")
os.chmod(folder, 0o755)
try:
    with Cloud(emulate=None, engine="stub") as cloud:
        def gpu_job(gpus, seconds, **fields):
            return cloud.submit("", resources={"gpus": f"h100:{gpus}"},
                                command=["sleep", str(seconds)], **fields)

        east = Slurm(cloud, folder, "east", "0.05")
        west = Slurm(cloud, folder, "west", "0.09")
        if not CUT_S:
            # Where nothing goes on Slurm is listed every ten seconds: it was last seen that long ago.
            cloud.ok("PATCH", "/v1/policy", {**SHORT, "site_lease": "20s", "site_grace": "4s"})
        wait_until_reached(east, west)
        cut_off_and_back(cloud, east, west, gpu_job, CUT_S or 30)
finally:
    for name in ("east", "west"):
        subprocess.run([CLUSTER, "down", os.path.join(folder, name)], check=False, timeout=60)
    shutil.rmtree(folder, ignore_errors=True)
