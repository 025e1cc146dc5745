"""From a lease to an issued invoice, its documents, a late event's adjustment, a credit note, a payment,
exports that their own oracles accept, and an audit that finds one changed tick. Real server and programs,
stub engine: nothing needs a container."""

import csv
import datetime
import decimal
import json
import os
import shutil
import subprocess
import tempfile
import time

from cloud import BIN, Cloud, expect, wait_for

now = datetime.datetime.now(datetime.timezone.utc)
month = now.strftime("%Y-%m")
begin = now.replace(day=1, hour=0, minute=0, second=0, microsecond=0)


def rfc(t):
    return t.strftime("%Y-%m-%dT%H:%M:%SZ")


def event_body(number, quantity, at, corrects=None, meter="public_ip_hours", project="demo", resource=None):
    data = {"quantity": quantity}
    if corrects:
        data["corrects"] = {"source": "meter/1", "id": corrects}
    if resource:
        data["resource"] = resource
    return {"specversion": "1.0", "id": number, "source": "meter/1", "type": meter, "subject": project,
            "time": rfc(at), "data": data}


def event(cloud, *args, **more):
    return cloud.ok("POST", "/v1/meter-events", event_body(*args, **more))


def audit(cloud):
    view = cloud.ok("GET", f"/v1/audit?month={month}")
    return view["holds"], {f["check"]: f for f in view["findings"]}


book = """
name: with addresses
currency: %s
gpus: {h100: {on_demand: 4.78, spot: 2.39}}
beside_gpu: {vcpu: 0.010, gib: 0.005}
cpu_only: {vcpu: 0.010, gib: 0.005}
rules:
  - {meter: public_ip_hours, price: %s}
"""


def invoice(cloud, org):
    time.sleep(1.1)
    return cloud.ok("POST", "/v1/invoices", {"org": org, "until": "now"})


# A contract, paid ahead, whose service was not there for a part of the month.
def lost_uptime(cloud, at):
    month_s = int(((begin + datetime.timedelta(days=32)).replace(day=1) - begin).total_seconds())
    cloud.ok("POST", "/v1/orgs", {"name": "gamma"})
    cloud.ok("POST", "/v1/projects", {"name": "rays", "org": "gamma"})
    cloud.ok("POST", "/v1/contracts", {"org": "gamma", "name": "gold", "from": month, "months": 3, "prepaid": "30.00"})
    expect(event(cloud, "g1", "100", at, project="rays")["accepted"] == 1, "usage")

    def down(number, percent, corrects=None):
        return event_body(number, str(month_s * percent // 100), at, corrects, "sla_downtime_seconds", "rays", "gold")
    forbidden = cloud.call("POST", "/v1/meter-events", down("d1", 6), key=cloud.customer_key)
    expect(forbidden.status == 403 and "only the operator" in forbidden.text, forbidden.text)
    expect(cloud.ok("POST", "/v1/meter-events", down("d1", 6))["accepted"] == 1, "lost uptime")
    for wrong in (event_body("d2", "5", at, None, "sla_downtime_seconds", "rays", "silver"),
                  event_body("d2", "5", at, None, "gpu", "rays")):
        answer = cloud.ok("POST", "/v1/meter-events", wrong)
        expect(len(answer["refused"]) == 1, answer)
    gold = cloud.ok("GET", "/v1/contracts?org=gamma")["items"][0]
    expect(gold["prepaid_left"] == "30.00" and gold["prepaid_left_now"] == "0.00", gold)
    first = invoice(cloud, "gamma")
    amounts = {l["kind"]: l["amount"] for l in first["lines"]}
    expect(amounts == {"metered": "50.00", "sla_credit": "-12.50", "prepaid": "30.00"}, first)
    expect(first["covered"] == "30.00" and first["prepaid"] == "30.00" and first["payable"] == "7.50", first)
    gold = cloud.ok("GET", "/v1/contracts?org=gamma")["items"][0]
    expect(gold["prepaid_left"] == "0.00", gold)
    # It was less: the next invoice takes the difference back.
    expect(cloud.ok("POST", "/v1/meter-events", down("d3", 3, "d1"))["accepted"] == 1, "the correction")
    second = invoice(cloud, "gamma")
    expect([(l["kind"], l["amount"]) for l in second["lines"]] == [("sla_credit", "7.50")], second)
    return first, second


# No decimals, and three.
def other_currencies(cloud, at):
    for currency, price, total in (("JPY", "75", "773"), ("KWD", "0.1515", "1.560")):
        org = currency.lower()
        cloud.ok("POST", "/v1/orgs", {"name": org})
        cloud.ok("PATCH", f"/v1/orgs/{org}/billing", {"currency": currency})
        cloud.ok("POST", "/v1/projects", {"name": f"{org}-1", "org": org})
        cloud.ok("POST", "/v1/prices", {"book": book % (currency, price)})
        time.sleep(0.1)
        now_at = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=1)
        expect(event(cloud, org, "10.3", now_at, project=f"{org}-1")["accepted"] == 1, "usage")
        time.sleep(1)
        issued = invoice(cloud, org)
        expect(issued["currency"] == currency and issued["payable"] == total, issued)
        paid = cloud.ok("POST", f"/v1/invoices/{issued['number']}/payments", {"reference": "wire"})
        expect(paid["state"] == "paid", paid)
        pdf = cloud.call("GET", f"/v1/invoices/{issued['number']}/document?format=csv")
        expect(pdf.status == 200 and total in pdf.text, pdf.text)
        projects = cli(cloud, "projects", "ls")
        expect(currency in projects, projects)


def cli(cloud, *args):
    env = dict(os.environ, AMPACITY_URL=f"http://127.0.0.1:{cloud.port}", AMPACITY_KEY=cloud.owner_key)
    done = subprocess.run([f"{BIN}/ampacity", *args], capture_output=True, text=True, check=False, env=env)
    expect(done.returncode == 0, done.stdout + done.stderr)
    return done.stdout



drop = tempfile.mkdtemp(prefix="ampacity-drop-", dir="/var/tmp")
with Cloud(engine="stub", more=["--payments", drop]) as cloud:
    # The stub engine runs nothing; what is billed here comes from a meter.
    cloud.ok("POST", "/v1/prices", {"book": book % ("USD", "0.50")})
    refused = cloud.call("POST", "/v1/invoices", {"org": "acme", "until": "now"})
    expect(refused.status == 409, refused.text)  # nobody issues invoices yet
    cloud.ok("PATCH", "/v1/issuer", {"name": "Ampacity Cloud Inc.", "street": "1 Busbar Road", "city": "Springfield",
                                     "country": "US", "tax_id": "US12-3456789",
                                     "bank": "IBAN DE89 3704 0044 0532 0130 00"})
    cloud.ok("PATCH", "/v1/orgs/acme/billing",
             {"party": {"name": "Acme GmbH", "street": "Weg 7", "city": "Berlin", "postal_code": "10115",
                        "country": "DE", "tax_id": "DE123456789"},
              "tax_category": "S", "tax_percent": "19"})
    time.sleep(1.1)
    at = datetime.datetime.now(datetime.timezone.utc)
    taken = event(cloud, "a", "10", at)
    expect(taken["accepted"] == 1, taken)
    draft = cloud.ok("GET", "/v1/draft?org=acme")
    metered = [l for l in draft["lines"] if l["kind"] == "metered"]
    expect(len(metered) == 1 and metered[0]["amount"] == "5.00", draft)

    time.sleep(1.1)
    first = cloud.ok("POST", "/v1/invoices", {"org": "acme", "until": "now"})
    expect(first["number"].endswith("-000001"), first)
    expect(first["prepaid"] == "1000.00" and first["tax"] == "190.00" and first["payable"] == "190.00", first)
    expect(first["covered"] == "5.00", first)
    again = cloud.call("POST", "/v1/invoices", {"org": "acme", "until": "now"})
    expect(again.status == 409 and "nothing to invoice" in again.text, again.text)
    holds, findings = audit(cloud)
    expect(holds, [f for f in findings.values() if not f["holds"]])

    # Late: it says that "a" was 14, after the invoice. The next one asks for the difference.
    expect(event(cloud, "b", "14", at, corrects="a")["accepted"] == 1, "the correction was not taken")
    time.sleep(1.1)
    second = cloud.ok("POST", "/v1/invoices", {"org": "acme", "until": "now"})
    expect([l["amount"] for l in second["lines"]] == ["2.00"], second)

    # Taken back, billed anew.
    note = cloud.ok("POST", f"/v1/invoices/{second['number']}/void", {"why": "a test"})
    expect(note["kind"] == "credit_note" and note["lines_total"] == "-2.00", note)
    time.sleep(1.1)
    third = cloud.ok("POST", "/v1/invoices", {"org": "acme", "until": "now"})
    expect([l["amount"] for l in third["lines"]] == ["2.00"], third)

    over = cloud.call("POST", f"/v1/invoices/{first['number']}/payments", {"amount": "190.01"})
    expect(over.status == 400, over.text)
    paid = cloud.ok("POST", f"/v1/invoices/{first['number']}/payments", {"reference": "wire 17"})
    expect(paid["state"] == "paid" and paid["open"] == "0.00", paid)

    # A fee on the next invoice is paid through the file drop.
    cloud.ok("POST", "/v1/orgs/acme/lines", {"amount": "10.00", "description": "moving a rack"})
    time.sleep(1.1)
    fourth = cloud.ok("POST", "/v1/invoices", {"org": "acme", "until": "now"})
    expect(fourth["payable"] == "11.90", fourth)
    asked = os.path.join(drop, "outbox", f"invoice-{fourth['number']}.json")
    wait_for("the request to the payment provider", lambda: os.path.exists(asked))
    with open(os.path.join(drop, "inbox", ".report"), "w") as f:
        json.dump([{"invoice": fourth["number"], "amount": "11.90", "reference": "drop 1", "paid_at": rfc(at)},
                   {"invoice": "2020-000009", "amount": "1.00", "reference": "drop 2", "paid_at": rfc(at)}], f)
    os.rename(f.name, os.path.join(drop, "inbox", "report.json"))
    wait_for("the payment", lambda: cloud.ok("GET", f"/v1/invoices/{fourth['number']}")["state"] == "paid")
    wait_for("the other's refusal", lambda: os.listdir(os.path.join(drop, "inbox", "failed")))

    lost, given = lost_uptime(cloud, at)
    contracts = cli(cloud, "contracts")
    expect("gold" in contracts and "0.00" in contracts, contracts)
    other_currencies(cloud, at)
    for number in (first["number"], note["number"]):
        pdf = cloud.call("GET", f"/v1/invoices/{number}/document?format=csv")
        expect(pdf.status == 200 and "public_ip_hours" in pdf.text, pdf.text)
        ubl = cloud.call("GET", f"/v1/invoices/{number}/document?format=ubl")
        expect(ubl.status == 200 and number in ubl.text, ubl.text)
    statement = cloud.call("GET", "/v1/statement?org=acme")
    expect("190.00" in statement.text and "wire 17" in statement.text, statement.text)
    customer = cloud.call("GET", "/v1/invoices", key=cloud.customer_key)
    expect(len(customer.json["items"]) == 5, customer.text)
    expect(cloud.call("POST", "/v1/invoices", {"org": "acme", "until": "now"}, key=cloud.customer_key).status == 403,
           "a customer issued an invoice")

    # Exports, and what others say of them.
    focus = os.path.join(cloud.dir, "focus.csv")
    with open(focus, "w") as f:
        f.write(cloud.call("GET", f"/v1/exports/focus?month={month}").text)
    rules = subprocess.run(["/usr/bin/python3", "tests/focus_rules.py", focus], capture_output=True, text=True,
                           check=False)
    expect(rules.returncode in (0, 77), rules.stdout[-2000:] + rules.stderr[-2000:])
    print("focus:", rules.stdout.strip().splitlines()[-1] if rules.stdout.strip() else "model not there")
    journal = cloud.call("GET", "/v1/exports/journal").text
    if shutil.which("hledger"):
        path = os.path.join(cloud.dir, "books.journal")
        with open(path, "w") as f:
            f.write(journal)
        checked = subprocess.run(["hledger", "-f", path, "check"], capture_output=True, text=True, check=False)
        expect(checked.returncode == 0, checked.stderr)
    expect("receivable acme" in cloud.call("GET", "/v1/exports/trial-balance").text, "the trial balance")
    rows = list(csv.DictReader(open(focus)))
    for number, total in ((lost["number"], "7.50"), (given["number"], "7.50")):
        billed = sum(decimal.Decimal(r["BilledCost"]) for r in rows if r["InvoiceId"] == number)
        expect(billed == decimal.Decimal(total) + (30 if number == lost["number"] else 0), (number, billed))
    credit = [r for r in rows if r["ChargeCategory"] == "Credit" and r["InvoiceId"] == lost["number"]]
    expect([decimal.Decimal(r["BilledCost"]) for r in credit] == [decimal.Decimal("-12.50")], credit)
    for currency, total in (("JPY", 773), ("KWD", decimal.Decimal("1.560"))):
        billed = sum(decimal.Decimal(r["BilledCost"]) for r in rows if r["BillingCurrency"] == currency)
        expect(billed == total, (currency, billed))
    refused = cloud.call("POST", "/v1/close", {"month": month})
    expect(refused.status == 400, refused.text)  # it is not over

    holds, findings = audit(cloud)
    expect(holds, [f for f in findings.values() if not f["holds"]])

    # The same after kill -9, and from the journal alone.
    cloud.kill9()
    cloud.start()
    expect(audit(cloud)[0], "the audit after kill -9")
    cloud.stop()
    rebuilt = cloud.offline("rebuild")
    expect(rebuilt.returncode == 0, rebuilt.stdout + rebuilt.stderr)

    # One tick of one line: found, and named.
    cloud.sql("ALTER TABLE invoice_lines DISABLE TRIGGER USER" if cloud.database else
              "DROP TRIGGER invoice_lines_no_update")
    for kind, named in (("sla_credit", "sla_credit"), ("metered", "public_ip_hours")):
        cloud.sql(f"UPDATE invoice_lines SET ticks = ticks + 1 WHERE kind = '{kind}'")
        cloud.start()
        holds, findings = audit(cloud)
        cloud.stop()
        expect(not holds and not findings["invoices_rerated"]["holds"], findings)
        expect(named in findings["invoices_rerated"]["detail"], findings["invoices_rerated"])
        cloud.sql(f"UPDATE invoice_lines SET ticks = ticks - 1 WHERE kind = '{kind}'")
shutil.rmtree(drop, ignore_errors=True)
print("issued, corrected, voided, paid, exported, audited")
