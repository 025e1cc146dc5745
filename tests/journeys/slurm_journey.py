"""Real Slurm: a gang of 2 x 8 emulated GPUs with its receipt; a stop with its grace; ampacityd killed while
work ends and Slurm forgets it; slurmctld killed and back; strays ended; the books hold."""

from cloud import expect, wait_for
from slurm_lab import Lab, need_slurm

need_slurm()


def jobs(lab, *more):
    return lab.run("squeue", "-h", "-o", "%j %T", *more).split("\n")


with Lab(nodes=2, gpus=8, min_job_age=2) as lab, lab.cloud() as cloud:
    offers = cloud.ok("GET", "/v1/offers", key=cloud.customer_key)
    offer = next(o for o in offers["items"] if o["sku"] == "h100")
    expect(any("iad-1 runs plain processes" in n for n in offers["notes"]), f"what the site is: {offers['notes']}")
    expect(offer["emulated"], f"an offer that does not say what is emulated: {offer}")

    # 1. A gang.
    gang = cloud.submit("echo rank $SLURM_PROCID of $SLURM_NTASKS: $AMPACITY_GPUS; sleep 1",
                        resources={"gpus": "h100:8x2"})
    ended = cloud.wait(gang)
    expect(ended["outcome"] == "succeeded", f"the gang: {ended}")
    receipt = cloud.receipt(gang)
    expect(receipt["emulated"] and receipt["total_ticks"] == receipt["posted_ticks"] > 0, f"the receipt: {receipt}")
    expect(receipt["intervals"][0]["lines"][0]["quantity"] == "16", f"the receipt: {receipt}")
    expect(any("rank 0 of 2: n1-gpu0,n1-gpu1" in line for line in cloud.log(gang)), f"its log: {cloud.log(gang)}")

    # 2. A stop: TERM, and time to save.
    kind = cloud.submit("trap 'echo saved; exit 7' TERM; while :; do sleep 0.1; done", resources={"gpus": "h100:1"})
    cloud.wait(kind, "running")
    cloud.ok("POST", f"/v1/jobs/{kind}/stop", key=cloud.customer_key)
    ended = cloud.wait(kind)
    expect(ended["outcome"] == "cancelled", f"the stopped one: {ended}")
    expect("saved" in cloud.log(kind), "it had no time to save")

    # 3. Exit codes, and slurmctld killed in between.
    fails = cloud.submit("sleep 12; exit 5", resources={"gpus": "h100:1"})
    cloud.wait(fails, "running")
    lab.do("saved")
    lab.do("kill", "ctld")
    ended = cloud.wait(fails)
    expect(ended["exit_code"] == 5, f"ended with slurmctld dead: {ended}")
    lab.do("start", "ctld")

    # 4. ampacityd is away; the work ends; Slurm forgets it.
    alone = cloud.submit("sleep 2; exit 0", resources={"gpus": "h100:2"})
    cloud.wait(alone, "running")
    cloud.kill9()
    wait_for("Slurm forgets it", lambda: not any(alone in j for j in jobs(lab, "-t", "all")), 90)
    cloud.start()
    ended = cloud.wait(alone)
    expect(ended["outcome"] == "succeeded", f"what ended while we were away: {ended}")
    expect(cloud.receipt(alone), "no receipt")

    # 5. A stray with our mark is ended; a foreign job waits off our nodes.
    mark = [c for c in lab.run("scontrol", "-o", "show", "res").split() if c.startswith("ReservationName=ampacity-")]
    name = mark[0].split("=")[1]
    lab.run("sbatch", "-J", "job-stray-1-0", "--comment", name.replace("-", ":", 1), f"--reservation={name}",
            "-o", "/dev/null", "--wrap", "sleep 99")
    lab.run("sbatch", "-J", "theirs", "-o", "/dev/null", "--wrap", "true")
    wait_for("the stray is gone", lambda: not any("job-stray" in j for j in jobs(lab)), 30)
    expect("theirs PENDING" in jobs(lab), "a foreign job ran on our nodes")
    lab.run("scancel", "-n", "theirs")

    # 6. What is cordoned or kept for maintenance here is drained there, and back; Slurm's own drains stay.
    def state(node):
        return lab.run("sinfo", "-h", "-N", "-n", node, "-o", "%T %E").strip()

    cloud.ok("PATCH", "/v1/nodes/iad-1:n1", {"state": "cordoned"})
    kept = cloud.ok("POST", "/v1/maintenance", {"nodes": ["iad-1:n2"]})
    for node in "n1", "n2":
        wait_for("it is drained", lambda node=node: state(node).startswith("drained held back by ampacity:"), 40)
    lab.run("scontrol", "update", "NodeName=n1", "State=RESUME")
    wait_for("a cordon stands", lambda: state("n1").startswith("drained held back by ampacity:"), 40)
    cloud.ok("PATCH", "/v1/nodes/iad-1:n1", {"state": "active"})
    cloud.ok("DELETE", f"/v1/maintenance/{kept['id']}")
    for node in "n1", "n2":
        wait_for("it is resumed", lambda node=node: "drain" not in state(node), 40)

    cloud.check_books()
    cloud.check_doctor()
