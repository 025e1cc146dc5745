"""podman stopped, restarted, or every container removed behind our back: jobs end as lost with the
reason (or start again, if asked), billed to the last instant they were seen; foreign things stay."""

import os
import signal
import time

from cloud import Cloud, TINY, expect, need_podman, wait_for

need_podman()


with Cloud() as cloud:
    # The service is killed: the container does not notice, nor does the job.
    job = cloud.submit("sleep 6; exit 3", name="survivor")
    cloud.wait(job, "running")
    pids = cloud.service_pids()
    expect(pids, "no podman service of ours was found")
    for pid in pids:
        os.kill(pid, signal.SIGKILL)
    seen = cloud.wait(job)
    expect(seen["exit_code"] == 3 and seen["generation"] == 1, f"after podman's death: {seen}")
    print("podman killed and taken back: ok", flush=True)

    # A foreign container in the same store, and one of ours removed behind our back.
    made = cloud.podman("run", "-d", "--name", "foreign", "--network", "none", "--ulimit",
                        "nofile=1024:1024", "--ulimit", "nproc=1024:1024", TINY, "sleep", "300")
    expect(made.returncode == 0, f"the foreign container: {made.stderr}")
    job = cloud.submit("sleep 300", name="doomed")
    again = cloud.submit("sleep 2; exit 0", name="retried", retries=1)
    cloud.wait(job, "running")
    cloud.wait(again, "running")
    time.sleep(1)
    gone_at = time.time()
    for name in (f"{job}-1-0", f"{again}-1-0"):
        # podman's own clean-up of what it killed may still hold the mount ("busy"): as one would, again.
        wait_for("podman removes it", lambda: cloud.podman("rm", "-f", "-t", "0", name).returncode == 0)
    seen = cloud.wait(job)
    expect(seen["outcome"] == "lost" and seen.get("why"), f"removed behind our back: {seen}")
    expect(seen["billed_s"] <= 12, f"billed {seen['billed_s']} s past its end")
    seen = cloud.wait(again)
    expect(seen["generation"] == 2 and seen["outcome"] == "succeeded", f"the retry: {seen}")
    expect(len(cloud.receipt(again)["intervals"]) == 2, "a retried job has two intervals")
    print(f"removed behind our back: lost, and retried: ok (why: {cloud.job(job)['why']})", flush=True)

    # The same while nobody watches.
    job = cloud.submit("sleep 300", name="unwatched")
    cloud.wait(job, "running")
    time.sleep(3)
    cloud.kill9()
    cloud.podman("rm", "-f", "-t", "0", f"{job}-1-0")
    time.sleep(4)
    cloud.start()
    seen = cloud.wait(job)
    expect(seen["outcome"] == "lost", f"removed while we were away: {seen}")
    expect(seen["billed_s"] <= 7, f"billed {seen['billed_s']} s: to the restart, not to the last look")
    names = cloud.podman("ps", "--format", "{{.Names}}").stdout.split()
    expect("foreign" in names, f"a foreign container was touched: {names}")
    cloud.podman("rm", "-f", "-t", "0", "foreign")
    wait_for("every hold released", lambda: all(
        a["debits_pending"] == 0 for a in cloud.ok("GET", "/v1/ledger/accounts")["items"]))
    cloud.check_books()
    cloud.check_doctor()
    print("removed while unwatched, foreign untouched, books hold: ok")
