"""The rules of a FOCUS file that the model cannot say: between columns (X-…), our conventions (P-…),
and against the invoices the file belongs to (L-…). reference/focus.md §3; used by focus_rules.py."""

import collections
import datetime
import re
from fractions import Fraction

from focus_rules import DETAILS, MONEY, PRICES, depends, flat_object, number

HALF = Fraction(1, 2 * 10**12)  # quantities are rounded at twelve decimals
ID = "[0-9a-hjkmnp-tv-z]{26}"
RESOURCE = {"job": "Job", "ctr": "Commitment", "vol": "Volume", "node": "Node"}


def exponent(currency):
    return {"JPY": 0, "KRW": 0, "CLP": 0, "VND": 0, "ISK": 0, "KWD": 3, "BHD": 3, "OMR": 3, "JOD": 3, "TND": 3,
            "IQD": 3, "LYD": 3}.get(currency, 2)


def minor(row):
    return Fraction(1, 10 ** exponent(row["BillingCurrency"]))


def when(text):
    try:
        return datetime.datetime.strptime(text or "", "%Y-%m-%dT%H:%M:%SZ")
    except ValueError:
        return None


def value(row, column):
    """A number, or NaN's honest sister: nothing compares true with it."""
    found = number(row.get(column))
    return found if found is not None else Nothing


class _Nothing:
    def __eq__(self, other): return False
    def __ne__(self, other): return True
    def __lt__(self, other): return False
    __le__ = __gt__ = __ge__ = __lt__
    def __add__(self, other): return self
    __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = __truediv__ = __rtruediv__ = __add__
    def __abs__(self): return self
    def __neg__(self): return self
    __hash__ = None


Nothing = _Nothing()


def correction(row):
    return row["ChargeClass"] == "Correction"


def cheaper(row):
    """Volume prices are not monotone: more can cost less than what was counted before."""
    return row["ChargeCategory"] == "Usage" and number(row["x_CostTicks"]) is not None and number(row["x_CostTicks"]) < 0


def is_ahead(row):
    return row["ChargeCategory"] == "Purchase" and (row["CommitmentDiscountId"] or row["SkuId"] == "prepaid-credit")


# ---- between the columns of one row ---------------------------------------------------------------------

def tax(row):
    empty = ("PricingQuantity", "PricingUnit", "PricingCategory", "ConsumedQuantity", "ConsumedUnit", "SkuId",
             "SkuPriceId", "SkuMeter", "SkuPriceDetails", "ResourceId", "RegionId", "CommitmentDiscountId",
             "CapacityReservationId", "SubAccountId", "Tags", *PRICES)
    return row["ChargeCategory"] != "Tax" or (
        all(row[c] is None for c in empty) and row["ServiceCategory"] == "Other" and row["ServiceName"] == "Tax")


def credit(row):
    return row["ChargeCategory"] != "Credit" or (
        len({number(row[c]) for c in MONEY}) == 1 and (value(row, "BilledCost") < 0 or correction(row)) and
        all(row[c] is None for c in (*PRICES, "PricingQuantity", "PricingCategory", "SkuId", "CommitmentDiscountId")))


def commitment(row):
    status, given = row["CommitmentDiscountStatus"], row["CommitmentDiscountId"]
    if row["ChargeCategory"] == "Purchase" and given and not (row["ResourceId"] == given and status is None):
        return False
    if (row["PricingCategory"] == "Committed") != (status is not None):
        return False
    if status is None:
        return given is None or row["ChargeCategory"] == "Purchase"
    if number(row["BilledCost"]) != 0 or row["ChargeCategory"] != "Usage":
        return False
    if status == "Unused":
        return row["ResourceId"] == given and row["ConsumedQuantity"] is None
    return row["ResourceId"] not in (None, given)


def capacity(row):
    return row["CapacityReservationId"] is None or row["CapacityReservationStatus"] == row["CommitmentDiscountStatus"]


def period(row):
    start, end = when(row["ChargePeriodStart"]), when(row["ChargePeriodEnd"])
    first, last = when(row["BillingPeriodStart"]), when(row["BillingPeriodEnd"])
    if None in (start, end, first, last) or not start < end:
        return False
    month = first.day == 1 and (first + datetime.timedelta(days=32)).replace(day=1) == last and not first.time().hour
    # A correction is of an earlier month, or of an interim invoice of this one.
    return month and end <= last and (correction(row) or first <= start)


def effective(row):
    if correction(row) or row["ChargeCategory"] not in ("Usage", "Purchase") or is_ahead(row) or cheaper(row):
        return True
    return abs(value(row, "EffectiveCost") - value(row, "ContractedCost")) <= minor(row)


def billed(row):
    have = value(row, "BilledCost")
    if row["ChargeCategory"] == "Purchase" and is_ahead(row) and not correction(row):
        return 0 <= have and have - value(row, "ContractedCost") <= minor(row)
    if row["ChargeCategory"] != "Usage" or correction(row) or cheaper(row):
        return True
    return 0 <= have <= value(row, "EffectiveCost")


def whole(row):
    return all(number(row[c]) is not None and (number(row[c]) / minor(row)).denominator == 1
               for c in ("BilledCost", "EffectiveCost")[:1 if row["ChargeCategory"] == "Tax" else 2])


def frequency(row):
    have, category = row["ChargeFrequency"], row["ChargeCategory"]
    if category == "Usage":
        if correction(row):
            return have in ("Usage-Based", "One-Time", "Recurring")
        lump = row["PricingUnit"] == "Count" or number(row["ConsumedQuantity"]) == 0 != number(row["PricingQuantity"])
        if not lump:
            return have == "Usage-Based"
        return have == ("Recurring" if (row["SkuId"] or "").startswith("minimum") else "One-Time")
    if category == "Purchase":
        return have == ("Recurring" if row["CommitmentDiscountId"] else "One-Time")
    return have == {"Tax": "Recurring", "Credit": "One-Time"}.get(category, have)


def consumed(row):
    if row["ConsumedQuantity"] is None:
        return True
    if number(row["ConsumedQuantity"]) == 0:
        return row["PricingUnit"] in ("Count", "GPU-Hours") or number(row["PricingQuantity"]) == 0
    unit, used, many = row["PricingUnit"] or "", row["ConsumedUnit"], Fraction(1)
    if unit.endswith("-Hours") and used == unit[:-5] + "Seconds":
        many = Fraction(3600)
    elif re.fullmatch(r"[1-9]\d* .*", unit):
        many, unit = Fraction(unit.split(" ")[0]), unit.split(" ", 1)[1]
        if used != unit:
            return False
    elif used != unit:
        return False
    return abs(value(row, "ConsumedQuantity") / many - value(row, "PricingQuantity")) <= HALF


def signs(row):
    return correction(row) or cheaper(row) or row["ChargeCategory"] not in ("Usage", "Purchase") or all(
        value(row, c) >= 0 for c in (*MONEY, "PricingQuantity"))


def one_name(row):
    return row["ProviderName"] == row["PublisherName"] == row["InvoiceIssuerName"]


# ---- our conventions ------------------------------------------------------------------------------------

def sku_price(row):
    if row["SkuPriceId"] is None:
        return row["SkuId"] is None
    found = re.fullmatch(r"(.+):(\w+):([A-Z]{3})([\d.]+)", row["SkuPriceId"])
    if not found or found[1] != row["SkuId"] or found[3] != row["BillingCurrency"] or found[4] != row["ListUnitPrice"]:
        return False
    if row["CommitmentDiscountId"]:
        return found[2] == ("commitment" if row["ChargeCategory"] == "Purchase" else "committed")
    return found[2] == (row["x_JobClass"] or "standard")


def dynamic(row):
    return (row["PricingCategory"] == "Dynamic") == (row["x_JobClass"] == "spot")


def ids(row):
    def like(column, *prefixes):
        return row[column] is None or re.fullmatch(f"({'|'.join(prefixes)})-{ID}", row[column])
    return (like("BillingAccountId", "org") and like("SubAccountId", "prj") and like("ResourceId", *RESOURCE) and
            like("CommitmentDiscountId", "ctr") and like("CapacityReservationId", "rsv") and
            row["ResourceType"] == (RESOURCE[row["ResourceId"].split("-")[0]] if row["ResourceId"] else None))


def types(row):
    return (row["BillingAccountType"] == "Organization" and row["SubAccountType"] == (row["SubAccountId"] and "Project") and
            row["CommitmentDiscountType"] in (None, {"Spend": "Monthly Spend", "Usage": "Monthly GPU-Hours"}.get(
                row["CommitmentDiscountCategory"] or "")))


def commitment_is_ours(row):
    return row["CommitmentDiscountId"] in (None, row["x_Contract"])


def tags(row):
    if row["Tags"] is None:
        return row["x_JobClass"] is None
    found = flat_object(row["Tags"])
    return bool(found) and all(k in ("ampacity:class", "ampacity:user") and isinstance(v, str) and v
                               for k, v in found.items()) and found.get("ampacity:class") == row["x_JobClass"]


def details(row):
    if row["SkuPriceDetails"] is None:
        return True
    found = flat_object(row["SkuPriceDetails"]) or {}
    sized = {"GPU": "GpuCount", "vCPU": "CoreCount", "GiB": "MemorySize"}.get((row["PricingUnit"] or "").split("-")[0])
    return bool(found) and found.get(sized) == 1 and all(
        k.startswith("x_") or k in DETAILS and isinstance(v, str if DETAILS[k] == "s" else (int, float))
        for k, v in found.items()) and (row["SkuId"] or "").startswith(found.get("InstanceSeries", ""))


def placeholders(row):
    return not any(v in ("null", "NULL", "N/A", "n/a", "None", "Not Applicable", "-", "unknown") for v in row.values())


ROW_RULES = [
    ("X-tax", tax), ("X-credit", credit), ("X-commitment", commitment), ("X-capacity", capacity), ("X-period", period),
    ("X-effective", effective), ("X-billed", billed), ("X-whole-minor-units", whole), ("X-frequency", frequency),
    ("X-consumed", consumed), ("X-signs", signs), ("X-provider", one_name), ("X-null", placeholders),
    ("P-sku-price", sku_price), ("P-dynamic", dynamic), ("P-ids", ids), ("P-types", types),
    ("P-commitment", commitment_is_ours), ("P-tags", tags), ("P-details", details),
]


# ---- between rows ---------------------------------------------------------------------------------------

def constant(column):
    def check(rows):
        values = {row[column] for row in rows}
        return [] if len(values) <= 1 else [f"{len(values)} values of {column}"]
    return check


def commitment_sums(rows):
    """Of each commitment and month: what was used and not used is what was bought, in money and in hours."""
    wrong = []
    groups = collections.defaultdict(list)
    for row in rows:
        if row["CommitmentDiscountId"] and not correction(row):
            groups[row["CommitmentDiscountId"], row["BillingPeriodStart"]].append(row)
    for (name, _), of in groups.items():
        bought = [r for r in of if r["ChargeCategory"] == "Purchase"]
        used = [r for r in of if r["ChargeCategory"] == "Usage"]
        if not bought:
            wrong.append(f"{name} is used and was not bought")
            continue
        spent = sum(value(r, "EffectiveCost") for r in used)
        paid = sum(value(r, "BilledCost") for r in bought)
        worth = sum(value(r, "ContractedCost") for r in bought)
        drawn = worth - paid > minor(bought[0])  # paid for with credit bought before
        if not (spent == paid or drawn) or not abs(spent - worth) <= minor(bought[0]):
            wrong.append(f"{name} costs")
        hours = [sum(value(r, "CommitmentDiscountQuantity") for r in s) for s in (used, bought)]
        if bought[0]["CommitmentDiscountCategory"] == "Usage" and not abs(hours[0] - hours[1]) <= HALF * len(of) * 2:
            wrong.append(f"{name} quantities")
        if len({r["CapacityReservationId"] for r in used}) > 1:
            wrong.append(f"{name} capacity")
        for r in of:
            if r["CommitmentDiscountCategory"] == "Usage" and r["CommitmentDiscountQuantity"] != r["PricingQuantity"]:
                wrong.append(f"{name} quantity of a row")
    return wrong


PAIRS = """BillingAccountId>BillingAccountName BillingAccountName>BillingAccountId SubAccountId>SubAccountName
SubAccountId>BillingAccountId RegionId>RegionName RegionName>RegionId CommitmentDiscountId>CommitmentDiscountName
CommitmentDiscountId>CommitmentDiscountCategory CommitmentDiscountId>CommitmentDiscountType
CommitmentDiscountId>CommitmentDiscountUnit ServiceName>ServiceCategory
ServiceName>ServiceSubcategory SkuId>SkuMeter SkuId>ServiceName SkuId>SkuPriceDetails SkuPriceId>ListUnitPrice
SkuPriceId>PricingUnit SkuPriceId>SkuMeter SkuMeter>ServiceName ResourceId>ResourceName ResourceId>ResourceType
ResourceId>BillingAccountId ResourceId>RegionId InvoiceId>BillingAccountId InvoiceId>BillingCurrency
InvoiceId>BillingPeriodStart InvoiceId>BillingPeriodEnd""".split()
FILE_RULES = [(f"X-{p}", depends(*p.split(">"))) for p in PAIRS]
FILE_RULES += [(f"X-one-{c}", constant(c)) for c in ("ProviderName", "PublisherName", "InvoiceIssuerName",
                                                     "BillingAccountType")]
FILE_RULES += [("X-commitment-sums", commitment_sums)]


# ---- against the invoices -------------------------------------------------------------------------------

class Reconciled:
    """The invoices as the store has them: {"orgs", "projects": ids, "skus": names, "regions", "invoices"}."""

    def __init__(self, book):
        self.book = book
        self.invoices = {i["number"]: i for i in book["invoices"]}
        self.row_rules = [("L-invoice", self.invoice), ("L-line", self.line)]
        self.file_rules = [("L-sums", self.sums), ("L-taxes", self.taxes), ("L-total", self.total)]

    def line_of(self, row):
        found = self.invoices.get(row["InvoiceId"])
        at = row["x_InvoiceLine"]
        return found["lines"][int(at)] if found and at and at.isdigit() and int(at) < len(found["lines"]) else None

    def named(self, kind, at):
        return self.book[kind][at] if at < len(self.book[kind]) else None

    def invoice(self, row):
        i = self.invoices.get(row["InvoiceId"])
        return i is not None and (row["BillingCurrency"], row["BillingAccountId"], row["BillingPeriodStart"],
                                  row["BillingPeriodEnd"]) == (i["currency"], self.named("orgs", i["org"]),
                                                               i["from"], i["until"])

    def line(self, row):
        if row["ChargeCategory"] == "Tax":
            return row["x_InvoiceLine"] is None
        line = self.line_of(row)
        if line is None:
            return False
        sku = self.named("skus", line["sku"])
        credits = line["kind"] == "sla_credit" or line["kind"] == "manual" and line["minor"] < 0
        category = "Credit" if credits else \
            "Purchase" if line["kind"] in ("commitment", "prepaid", "manual") else "Usage"
        same = (row["SubAccountId"] == self.named("projects", line["project"]) and
                row["RegionId"] == self.named("regions", line["site"]) and
                row["ChargeDescription"] == line["description"] and row["ChargeCategory"] == category and
                correction(row) == (line["correction"] or line["until"][:19] <= row["BillingPeriodStart"][:19]) and
                row["x_Contract"] == ("ctr-" + line["contract"] if line["contract"].strip("0") else None) and
                (line["unit"] == "" or (row["PricingUnit"] or "").endswith(line["unit"])))
        if sku and row["SkuId"] and line["unit"] and row["SkuId"] != f"{sku}-{line['meter']}":
            return False
        start, end = when(row["ChargePeriodStart"]), when(row["ChargePeriodEnd"])
        first, last = when(line["from"][:19] + "Z"), when(line["until"][:19] + "Z")
        if None in (start, end):
            return False
        second = datetime.timedelta(seconds=1)
        return same and (line["kind"] == "prepaid" or first <= start and end <= last + second)

    def sums(self, rows):
        wrong = []
        sums = collections.defaultdict(lambda: collections.defaultdict(Fraction))
        for row in rows:
            if row["x_InvoiceLine"] is not None:
                of = sums[row["InvoiceId"], row["x_InvoiceLine"]]
                for column in ("BilledCost", "EffectiveCost", "x_CostTicks", "PricingQuantity"):
                    of[column] = of[column] + (value(row, column) if row[column] is not None else 0)
        covered = {(r["InvoiceId"], r["x_InvoiceLine"]) for r in rows if r["CommitmentDiscountStatus"]}
        for i in self.invoices.values():
            unit = Fraction(1, 10 ** exponent(i["currency"]))
            for n, line in enumerate(i["lines"]):
                of = sums.get((i["number"], str(n)), {})
                ahead = line["kind"] in ("commitment", "prepaid")
                wants = {"BilledCost": (line["minor"] - line["covered_minor"]) * unit, "x_CostTicks": line["ticks"]}
                if (i["number"], str(n)) not in covered:
                    given = line["kind"] == "sla_credit" or line["kind"] == "manual" and line["minor"] < 0
                    wants["EffectiveCost"] = 0 if ahead else wants["BilledCost"] if given else line["minor"] * unit
                wrong += [f"invoice {i['number']} line {n} {c}" for c, v in wants.items() if of.get(c) != v]
        return wrong

    def taxes(self, rows):
        """Each of the costs of a tax row is the rate of the same cost of what it taxes."""
        wrong = []
        for i in self.invoices.values():
            own = [r for r in rows if r["InvoiceId"] == i["number"]]
            levied = [r for r in own if r["ChargeCategory"] == "Tax"]
            expected = [t for t in i["taxes"] if t["tax_minor"] or t["rate_bp"]]
            if len(levied) != len(expected):
                wrong.append(f"{len(levied)} tax rows of {i['number']}, not {len(expected)}")
                continue
            unit = Fraction(1, 10 ** exponent(i["currency"]))
            for row, t in zip(levied, expected):
                if number(row["BilledCost"]) != t["tax_minor"] * unit:
                    wrong.append(f"{i['number']} BilledCost of tax")
                if len(expected) > 1:
                    continue
                for column in ("ListCost", "ContractedCost", "EffectiveCost"):
                    on = sum(value(r, column) for r in own if r["ChargeCategory"] != "Tax")
                    if not abs(on * Fraction(t["rate_bp"], 10_000) - value(row, column)) <= HALF * (len(own) + 2):
                        wrong.append(f"{i['number']} {column} of tax")
        return wrong

    def total(self, rows):
        sums = collections.defaultdict(Fraction)
        for row in rows:
            sums[row["InvoiceId"]] = sums[row["InvoiceId"]] + value(row, "BilledCost")
        return [f"{i['number']} is not its total" for i in self.invoices.values()
                if sums.get(i["number"]) != Fraction(i["total_minor"], 10 ** exponent(i["currency"]))]
