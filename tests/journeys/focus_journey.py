"""What leaves as a file is right by somebody else's rules: a month with every kind of charge passes the
FOCUS 1.2 model and agrees with its invoices, and a wrong cell is noticed; hledger accepts the journal,
agrees on every balance, and a tick that was planted is noticed."""

import csv
import json
import os
import shutil
import subprocess
import sys
import tempfile
from decimal import Decimal

from cloud import BIN, expect, skip

TESTS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..")
PROGRAM = f"{BIN}/focus_bench"


def run(*words, **more):
    return subprocess.run(words, capture_output=True, text=True, timeout=300, check=False, **more)


def focus(folder):
    """True if the model is here."""
    rules = run(sys.executable, f"{TESTS}/focus_rules.py", "focus.csv", "invoices.json", "--reconcile", cwd=folder)
    print(rules.stdout)
    if rules.returncode == 77:
        return False
    expect(rules.returncode == 0, f"the export breaks rules: {rules.stdout}{rules.stderr}")
    mutants = run(sys.executable, f"{TESTS}/focus_mutants.py", "focus.csv", "--reconcile", "invoices.json", cwd=folder)
    print(mutants.stdout)
    expect(mutants.returncode == 0, f"too few mutants are caught: {mutants.stdout}{mutants.stderr}")
    return True


def histories(folder):
    """What the rating makes of random months, late news and all, passes as well."""
    program = f"{BIN}/documents_test"
    if not os.path.exists(program):
        return print(f"no {program}: random histories are not checked")
    made = run(program, "--test-case=whatever was rated*", env={**os.environ, "AMPACITY_FOCUS_DUMP": folder})
    expect(made.returncode == 0, made.stdout)
    sys.path.insert(0, TESTS)
    import focus_rules
    rows = 0
    files = sorted(f for f in os.listdir(folder) if f.startswith("history-") and f.endswith(".csv"))
    expect(len(files) >= 100, f"{len(files)} histories: {made.stdout}")
    for name in files:
        book = json.load(open(f"{folder}/{name[:-4]}.json", encoding="utf-8"))
        _, failed, some, _ = focus_rules.check(f"{folder}/{name}", book)
        expect(not failed, f"{name}: {dict(failed)}")
        rows += len(some)
    print(f"{len(files)} random histories, {rows} rows: no rule fails: ok")


def usage(folder):
    """The usage file and the cost export are made from the same parts: the same ticks."""
    used = list(csv.DictReader(open(f"{folder}/usage.csv", encoding="utf-8", newline="")))
    rows = list(csv.DictReader(open(f"{folder}/focus.csv", encoding="utf-8", newline="")))
    ticks = sum(int(r["x_CostTicks"]) for r in rows if r["x_CostTicks"])
    expect(sum(int(u["amount_ticks"]) for u in used) == ticks > 0, "usage.csv and focus.csv differ in ticks")
    expect(len(used) == sum(1 for r in rows if r["x_InvoiceLine"]), "usage.csv has other parts than focus.csv")
    print(f"{len(used)} parts of usage, {ticks} ticks in both files: ok")


def hledger(folder):
    if not shutil.which("hledger"):
        skip("hledger is not installed")
    check = run("hledger", "-f", "ledger.journal", "check", "--strict", cwd=folder)
    expect(check.returncode == 0, f"hledger refuses the journal: {check.stderr}")
    bal = run("hledger", "-f", "ledger.journal", "bal", "-N", "-E", "--flat", "-O", "csv", cwd=folder)
    expect(bal.returncode == 0, bal.stderr)
    theirs = {r["account"]: r["balance"] for r in csv.DictReader(bal.stdout.splitlines())}
    ours = list(csv.DictReader(open(f"{folder}/trial_balance.csv", encoding="utf-8", newline="")))
    expect(len(ours) == len(theirs), f"{len(ours)} accounts, hledger has {len(theirs)}")
    for row in ours:
        balance = theirs[row["hledger_account"]].split(" ")[0]
        expect(Decimal(balance) == Decimal(row["balance"]), f"{row}: hledger has {balance}")
    text = open(f"{folder}/ledger.journal", encoding="utf-8").read().splitlines(keepends=True)
    usages = [i for i, line in enumerate(text) if line.startswith("20") and ") usage" in line]
    first = usages[len(usages) // 2] + 1
    planted = text[:]
    for at in (first, first + 1):  # one tick more on both sides: balanced, and still wrong
        words = planted[at].rsplit("  ", 1)
        amount, commodity = words[1].split(" ", 1)
        planted[at] = f"{words[0]}  {int(amount) + (1 if int(amount) > 0 else -1)} {commodity}"
        plant(folder, planted if at == first + 1 else text[:first] + [planted[first]] + text[first + 1:])
    lost = text[:usages[0]] + text[usages[0] + 4:]  # a transfer left out
    plant(folder, lost)
    print(f"hledger: {len(usages)} transfers and more, {len(ours)} balances agree; one tick is noticed: ok")


def plant(folder, lines):
    with open(f"{folder}/planted.journal", "w", encoding="utf-8") as out:
        out.writelines(lines)
    check = run("hledger", "-f", "planted.journal", "check", cwd=folder)
    expect(check.returncode != 0, "hledger did not notice what was planted")


if not os.path.exists(PROGRAM):
    skip(f"no {PROGRAM}")
with tempfile.TemporaryDirectory(prefix="ampacity-focus-", dir="/var/tmp") as made:
    result = run(PROGRAM, "--sample", made)
    expect(result.returncode == 0, result.stderr)
    usage(made)
    hledger(made)
    if not focus(made):
        skip(f"hledger is content; the FOCUS model is not here: {TESTS}/focus_rules.py says where")
    histories(made)
