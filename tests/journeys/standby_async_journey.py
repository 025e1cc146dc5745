"""With asynchronous replication a failover of the database can lose what was acknowledged: shown, and said
in docs/standby.md. The standby lags behind while jobs are acknowledged; the primary is lost; the standby is
promoted. The servers go on with what is there, and say so."""

from cloud import expect, wait_for
from standby import Database, Standby

with Database(asynchronous=True) as database, Standby(database, lease_ms=2000) as pair:
    leader = pair.leader()
    body = {"image": "load", "resources": {"gpus": "h100:1"}, "command": ["train"]}
    kept = leader.ok("POST", "/v1/jobs", body, leader.customer_key)["id"]
    leader.wait(kept)
    database.run("pause")
    lost = [leader.ok("POST", "/v1/jobs", body, leader.customer_key)["id"] for _ in range(20)]
    database.run("fail")
    database.run("resume")
    database.run("promote")

    def leads_again():
        server = pair.with_role("leader")
        return server if server and server.call("GET", "/v1/jobs").status == 200 else None
    after = wait_for("one leads on the promoted database", leads_again, 60)
    there = [job for job in lost if after.call("GET", f"/v1/jobs/{job}").status == 200]
    expect(len(there) < len(lost), "nothing was lost: then this journey shows nothing")
    after.check_books()
    again = after.ok("POST", "/v1/jobs", body, after.customer_key)["id"]
    after.wait(again)
    print(f"asynchronous: {len(lost) - len(there)} of {len(lost)} acknowledged jobs were lost at the "
          "failover; the books hold and the cloud goes on")
