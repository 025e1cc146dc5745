"""Takeover under load: 500 jobs a second are offered to two ampacityd on one PostgreSQL. The leader is
killed; the leader is frozen for longer than its lease and woken; the database fails over. Each time the
other leads within ten seconds, nothing acknowledged is lost, nothing is started twice, the books hold.

  standby_journey.py [--full]   --full: longer load, frozen for 60 s (./dev soak standby)"""

import sys
import time

from cloud import expect, wait_for
from load import Load
from standby import Database, Standby, freeze, prove, wake

FULL = "--full" in sys.argv
BEFORE_S, AFTER_S = (20, 20) if FULL else (3, 2)
FROZEN_S = 60 if FULL else 8
MOST_S = 10


def loaded(pair, tag):
    load = Load(pair.ports, pair.leader().customer_key, tag).start()
    time.sleep(BEFORE_S)
    expect(len(load.acknowledged) > 50 * BEFORE_S, f"too slow to begin with: {load.answers}")
    return load


def finish(pair, load, what, since, server):
    wait_for("it goes on after it", lambda: load.first_after(since + 0.5) < float("inf"), 60)
    time.sleep(AFTER_S)
    load.stop()
    silence, _ = load.longest_silence(since)
    expect(len(load.acknowledged) == load.offered,
           f"{load.offered - len(load.acknowledged)} were never acknowledged: {load.answers}")
    jobs = prove(pair, load, server)
    print(f"{what}: silent for {silence:.2f} s; {load.offered} offered, all acknowledged, {jobs} jobs "
          f"there, none lost, none started twice; answers {load.answers}", flush=True)
    expect(silence <= MOST_S, f"{what}: nobody answered for {silence:.1f} s")


def killed(pair):
    leader = pair.leader()
    load = loaded(pair, "killed")
    leader.kill9()
    at = time.monotonic()
    after = pair.leader(besides=leader)
    finish(pair, load, "leader killed", at, after)
    leader.start()
    expect(pair.follower() is leader, "the killed leader follows after its start")


def frozen(pair):
    leader = pair.leader()
    load = loaded(pair, "frozen")
    at = freeze(leader)
    after = pair.leader(besides=leader)
    time.sleep(max(0, at + FROZEN_S - time.monotonic()))
    woken_us = int(time.time() * 1e6)
    wake(leader)
    wait_for("the old leader's first write is refused",
             lambda: "was refused" in pair.log_of(leader), 30)
    expect(pair.follower() is leader, "the woken leader follows")
    finish(pair, load, f"leader frozen for {FROZEN_S} s", at, after)
    late = [s for s in pair.starts() if s[1] > woken_us and s[2] == leader.process.pid]
    expect(not late, f"the woken leader started {len(late)}: {late[:3]}")


def failed_over(pair, database):
    load = loaded(pair, "database")
    at = time.monotonic()
    database.run("fail")
    database.run("promote")
    finish(pair, load, "database failed over", at, pair.leader())
    wait_for("both are there", lambda: pair.with_role("leader") and pair.with_role("follower"), 60)


with Database() as database, Standby(database) as pair:
    killed(pair)
    frozen(pair)
    failed_over(pair, database)
