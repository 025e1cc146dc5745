"""A real Slurm cluster for a journey or a benchmark: examples/slurm/cluster.sh, in a folder that goes."""

import contextlib
import os
import shutil
import subprocess
import tempfile

from cloud import Cloud, skip, wait_for

SCRIPT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "examples", "slurm", "cluster.sh")


def need_slurm():
    path = os.environ["PATH"] + ":/usr/sbin"
    for program in ("munged", "slurmctld", "slurmd", "slurmrestd"):
        if not shutil.which(program, path=path):
            skip(f"{program} is not installed")


class Lab:
    def __init__(self, nodes=2, gpus=8, min_job_age=300):
        self.root = tempfile.mkdtemp(prefix="amp-slurm-", dir="/tmp")
        os.chmod(self.root, 0o755)
        self.dir = os.path.join(self.root, "c")
        self.arguments = ["--nodes", str(nodes), "--gpus", str(gpus), "--min-job-age", str(min_job_age)]

    def __enter__(self):
        self.do("up", *self.arguments)
        return self

    def __exit__(self, *_):
        self.do("down")
        shutil.rmtree(self.root, ignore_errors=True)

    def do(self, verb, *arguments, check=True):
        r = subprocess.run(["bash", SCRIPT, verb, self.dir, *arguments], capture_output=True, text=True,
                           timeout=120, stdin=subprocess.DEVNULL, check=False)
        if check and r.returncode != 0:
            raise RuntimeError(f"cluster.sh {verb} {arguments}: {r.stdout}{r.stderr}")
        return r.stdout

    def run(self, *command, check=True):
        """As the cluster's user."""
        return self.do("run", *command, check=check)

    def site(self, name="iad-1"):
        """What an operator says of it to Ampacity."""
        return {"name": name, "engine": "slurm", "url": f"unix:{self.dir}/run/restd.socket",
                "options": [f"shared={self.dir}/shared", f"conf={self.dir}/etc/slurm.conf"]}

    @contextlib.contextmanager
    def cloud(self):
        """An Ampacity that rents this cluster."""
        with Cloud(emulate=None, engine="stub") as cloud:
            cloud.ok("POST", "/v1/sites", self.site())
            wait_for("the cluster's nodes are offered", lambda: any(
                o["sku"] == "h100" for o in cloud.ok("GET", "/v1/offers")["items"]), 60)
            yield cloud
