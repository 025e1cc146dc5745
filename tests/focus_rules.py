"""Is FILE a FOCUS 1.2 cost and usage file?   focus_rules.py FILE [--reconcile invoices.json]

Applies the specification's machine-readable model (../shared/data/focus/model-1.2.json, or under
$AMPACITY_DATA) by the specification's meaning: NULL-safe, with exact decimals, and with the model's
known errors put right (CORRECTED; reference/focus.md §5 numbers them). Then what no model says: rules
between columns and rows (X-…), our own conventions (P-…), and with --reconcile that the file is what
the invoices say (L-…). Prints what failed by rule; exit 0 clean, 1 not, 77 without the model.

A rule is (id, check): of a row, check(row) is true if the row is right; of the file, check(rows) gives
the positions of the rows that are wrong."""

import collections
import csv
import json
import os
import re
import sys
from fractions import Fraction

DATA = os.environ.get("AMPACITY_DATA", os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../shared/data"))
MODEL = os.path.join(DATA, "focus/model-1.2.json")

# What we do not do, so that its columns need not be there: see src/documents/focus_writer.h.
NOT_APPLICABLE = {"AVAILABILITY_ZONE_SUPPORTED", "PRICING_BILLING_CURRENCY_DIFFERENCES_SUPPORTED",
                  "VIRTUAL_CURRENCY_SUPPORTED"}

NUMBER = re.compile(r"-?(\d+(\.\d+)?|\.\d+)([eE]-?\d+)?")
WHEN = re.compile(r"\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])T([01]\d|2[0-3]):[0-5]\d:[0-5]\dZ")
# UnitFormat: time plural, counts and sizes capitalised, "<size>-<time>", "<number> <unit>".
SIZE = r"(B|[KMGTPE]B|[KMGTPE]iB|b|[KMGTPE]b|[KMGTPE]ib)"
TIME = r"(Years|Months|Days|Hours|Minutes|Seconds)"
COUNT = r"([A-Z][A-Za-z0-9]*s|Count|GPU|vCPU|IP)"
UNIT = re.compile(rf"([1-9]\d* )?({TIME}|{SIZE}|{COUNT}|({SIZE}|{COUNT})-{TIME})")
CURRENCIES = set("""AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BHD BIF BMD BND BOB BRL BSD BTN BWP
BYN BZD CAD CDF CHF CLP CNY COP CRC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GNF
GTQ GYD HKD HNL HTG HUF IDR ILS INR IQD IRR ISK JMD JOD JPY KES KGS KHR KMF KPW KRW KWD KYD KZT LAK LBP LKR LRD
LSL LYD MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD OMR PAB PEN PGK PHP PKR
PLN PYG QAR RON RSD RUB RWF SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TND TOP TRY
TTD TWD TZS UAH UGX USD UYU UZS VES VND VUV WST XAF XCD XOF XPF YER ZAR ZMW ZWG""".split())

DETAILS = {"CoreCount": "n", "DiskMaxIops": "n", "DiskSpace": "n", "DiskType": "s", "GpuCount": "n", "InstanceType": "s",
           "InstanceSeries": "s", "MemorySize": "n", "NetworkMaxIops": "n", "NetworkMaxThroughput": "n",
           "OperatingSystem": "s", "Redundancy": "s", "StorageClass": "s"}
MONEY = ("BilledCost", "EffectiveCost", "ListCost", "ContractedCost")
PRICES = ("ListUnitPrice", "ContractedUnitPrice")


def number(text):
    """None of null; exact of a number; None of what is none (the format rules say so)."""
    return Fraction(text) if text is not None and NUMBER.fullmatch(text) else None


def flat_object(text):
    try:
        pairs = json.loads(text, object_pairs_hook=list)
    except ValueError:
        return None
    if not text.lstrip().startswith("{") or not isinstance(pairs, list):
        return None
    keys = [k for k, _ in pairs]
    flat = len(keys) == len(set(keys)) and all(not isinstance(v, list) for _, v in pairs)
    return dict(pairs) if flat else None


# ---- the model ------------------------------------------------------------------------------------------

def value(column, wanted):
    return {"CheckFunction": "CheckValue", "ColumnName": column, "Value": wanted}


def differs(column, wanted):
    return {"CheckFunction": "CheckNotValue", "ColumnName": column, "Value": wanted}


def both(*items):
    return {"CheckFunction": "AND", "Items": list(items)}


def either(*items):
    return {"CheckFunction": "OR", "Items": list(items)}


NOT_CORRECTION = differs("ChargeClass", "Correction")
USAGE_OR_PURCHASE = either(value("ChargeCategory", "Usage"), value("ChargeCategory", "Purchase"))
# id -> (requirement, condition), None: as it stands; "skip": what it wants is said by another rule.
CORRECTED = {
    "CommitmentDiscountStatus-C-005-M": (either(value("CommitmentDiscountStatus", "Used"),
                                                value("CommitmentDiscountStatus", "Unused")), None),  # 1
    "CommitmentDiscountStatus-C-003-C": (value("CommitmentDiscountStatus", None), None),  # 2
    "CommitmentDiscountStatus-C-004-C": (None, both(differs("CommitmentDiscountId", None),
                                                    value("ChargeCategory", "Usage"))),
    "InvoiceId-C-004-C": "skip", "InvoiceId-C-005-C": "skip",  # 3: L-invoice
    "ConsumedQuantity-C-006-C": (None, NOT_CORRECTION),  # 5
    "CommitmentDiscountQuantity-C-007-C": (None, either(  # 6
        both(differs("ChargeCategory", "Usage"), differs("ChargeCategory", "Purchase")),
        both(value("CommitmentDiscountId", None), NOT_CORRECTION))),
    "CapacityReservationStatus-C-003-C": (None, value("CapacityReservationId", None)),  # 8
    "CapacityReservationStatus-C-004-C": (None, both(differs("CapacityReservationId", None),
                                                     value("ChargeCategory", "Usage"))),
    "EffectiveCost-C-005-C": (None, both(value("ChargeCategory", "Purchase"),  # 10
                                         either(differs("CommitmentDiscountId", None),
                                                value("SkuId", "prepaid-credit")))),
    "ContractedCost-C-009-C": ({"CheckFunction": "ColumnByColumnEqualsColumnValue",  # 12
                                "ColumnAName": "ContractedUnitPrice", "ColumnBName": "PricingQuantity",
                                "ResultColumnName": "ContractedCost"}, None),
    "ResourceName-C-004-C": (value("ResourceName", None), value("ResourceId", None)),
    "ResourceName-C-006-C": ({"CheckFunction": "CheckNotSameValue", "ColumnAName": "ResourceName",
                              "ColumnBName": "ResourceId"}, differs("ResourceId", None)),
}
ROW_CHECKS_OF_DYNAMIC = {"ContractedCost-C-009-C", "ResourceName-C-004-C", "ResourceName-C-006-C"}


class Model:
    """The rules of the model as functions of one row; of the file for the few that need it."""

    def __init__(self, columns, path=MODEL):
        self.rules = json.load(open(path, encoding="utf-8"))["ModelRules"]
        self.columns = columns
        self.row_rules, self.file_rules, self.missing = [], [], []
        self.counted = collections.Counter()
        self.seen = set()
        self.walk("CostAndUsage-D-000-M", [])

    def walk(self, name, conditions):
        rule = self.rules[name]
        fix = CORRECTED.get(name)
        if set(rule["ApplicabilityCriteria"]) & NOT_APPLICABLE or fix == "skip":
            return
        criteria = rule["ValidationCriteria"]
        requirement, condition = criteria["Requirement"], criteria["Condition"]
        if fix:
            requirement, condition = fix[0] or requirement, fix[1] or condition
        if condition:
            conditions = conditions + [self.compile(condition)]
        if requirement.get("CheckFunction") == "AND" and all(
                i["CheckFunction"] == "CheckModelRule" for i in requirement["Items"]):
            for item in requirement["Items"]:
                self.walk(item["ModelRuleId"], conditions)
            return
        if criteria["Keyword"] == "MAY" or name in self.seen:
            return
        if rule["Type"] == "Dynamic" and name not in ROW_CHECKS_OF_DYNAMIC:
            self.counted["dynamic, not of a row"] += 1
            return
        self.seen.add(name)
        self.counted[criteria["Keyword"]] += 1
        self.leaf(name, rule, requirement, conditions)

    def leaf(self, name, rule, requirement, conditions):
        function = requirement["CheckFunction"]
        if function == "ColumnPresent":
            column = requirement["ColumnName"]
            optional = any("MULTIPLE_" in a for a in rule["ApplicabilityCriteria"]) or \
                rule["ValidationCriteria"]["Keyword"] in ("MAY", "RECOMMENDED")
            if column not in self.columns and not optional:
                self.missing.append((name, column))
        elif function == "CheckDistinctCount":
            self.file_rules.append((name, depends(requirement["ColumnAName"], requirement["ColumnBName"])))
        else:
            check = self.compile(requirement)
            if conditions:
                self.row_rules.append((name, lambda row, c=conditions, k=check: not all(f(row) for f in c) or k(row)))
            else:
                self.row_rules.append((name, check))

    def compile(self, node):
        if isinstance(node, list) or "CheckFunction" not in node:
            raise ValueError(f"malformed, and not corrected here: {node}")
        function = node["CheckFunction"]
        if function in ("AND", "OR"):
            parts = [self.compile(i) for i in node["Items"]]
            if function == "AND":
                return lambda row: all(p(row) for p in parts)
            values = node["Items"]
            if all(i["CheckFunction"] == "CheckValue" and i["ColumnName"] == values[0]["ColumnName"] and
                   i["Value"] is not None for i in values) and len(values) > 2 or \
                    values[0].get("ColumnName") in ("CommitmentDiscountStatus", "CommitmentDiscountCategory",
                                                    "CapacityReservationStatus"):
                column, allowed = values[0]["ColumnName"], {i["Value"] for i in values}
                return lambda row: row.get(column) is None or row[column] in allowed
            return lambda row: any(p(row) for p in parts)
        if function == "CheckModelRule":
            rule = self.rules[node["ModelRuleId"]]["ValidationCriteria"]
            check = self.compile(rule["Requirement"])
            given = self.compile(rule["Condition"]) if rule["Condition"] else None
            return check if given is None else lambda row: not given(row) or check(row)
        return simple_check(function, node)


def simple_check(function, node):
    column, wanted = node.get("ColumnName"), node.get("Value")
    a, b, result = node.get("ColumnAName"), node.get("ColumnBName"), node.get("ResultColumnName")

    counts = wanted is not None and NUMBER.fullmatch(str(wanted)) is not None

    def same(row):
        have = row.get(column)
        if have is None or wanted is None:
            return have is None and wanted is None
        return have == str(wanted) or (counts and number(have) == Fraction(str(wanted)))

    def at_least(row):
        have = number(row.get(column))
        return have is None or have >= Fraction(str(wanted))

    def is_product(row):
        values = [row.get(a), row.get(b), row.get(result)]
        if any(v is None or not NUMBER.fullmatch(v) for v in values):
            return True
        return Fraction(values[0]) * Fraction(values[1]) == Fraction(values[2])

    def matches(test):
        return lambda row: row.get(column) is None or bool(test(row[column]))

    return {
        "CheckValue": lambda: same,
        "CheckNotValue": lambda: lambda row: not same(row),
        "CheckSameValue": lambda: lambda row: row.get(a) == row.get(b),
        "CheckNotSameValue": lambda: lambda row: row.get(a) is None or row.get(a) != row.get(b),
        "CheckDecimalValue": lambda: matches(NUMBER.fullmatch),
        "TypeDecimal": lambda: matches(NUMBER.fullmatch),
        "FormatNumeric": lambda: matches(NUMBER.fullmatch),
        "TypeString": lambda: lambda row: True,
        "FormatString": lambda: matches(lambda v: v.strip() != "" and "\ufffd" not in v),
        "TypeDateTime": lambda: matches(WHEN.fullmatch),
        "FormatDateTime": lambda: matches(WHEN.fullmatch),
        "FormatUnit": lambda: matches(UNIT.fullmatch),
        "FormatKeyValue": lambda: matches(lambda v: flat_object(v) is not None),
        "FormatCurrency": lambda: matches(re.compile(r"[A-Z]{3}").fullmatch),
        "CheckNationalCurrency": lambda: matches(CURRENCIES.__contains__),
        "CheckGreaterOrEqualThanValue": lambda: at_least,
        "ColumnByColumnEqualsColumnValue": lambda: is_product,
    }[function]()


def depends(a, b):
    """Each value of a has one b: the rows of the values that have more."""
    def check(rows):
        first, wrong = {}, []
        for i, row in enumerate(rows):
            if row.get(a) is None:
                continue
            if first.setdefault(row[a], (i, row.get(b)))[1] != row.get(b):
                wrong += [first[row[a]][0], i]
        return wrong
    return check


# ---- reading, reporting ---------------------------------------------------------------------------------

def read(path):
    """(columns, rows); a null is None."""
    text = open(path, "rb").read().decode("utf-8")  # not UTF-8: no FOCUS file
    lines = csv.reader(text.splitlines(keepends=True))
    columns = next(lines)
    rows = []
    for cells in lines:
        if len(cells) != len(columns):
            raise ValueError(f"row {len(rows) + 1} has {len(cells)} cells, not {len(columns)}")
        rows.append({c: v if v != "" else None for c, v in zip(columns, cells)})
    return columns, rows


class Rules:
    """Everything that is checked, ready to be run on rows again and again."""

    def __init__(self, columns, invoices=None):
        from focus_cross import FILE_RULES, ROW_RULES, Reconciled
        self.model = Model(columns)
        self.row_rules = self.model.row_rules + ROW_RULES
        self.file_rules = self.model.file_rules + FILE_RULES
        if invoices is not None:
            reconciled = Reconciled(invoices)
            self.row_rules = self.row_rules + reconciled.row_rules
            self.file_rules = self.file_rules + reconciled.file_rules

    def of_row(self, row):
        return [name for name, check in self.row_rules if not check(row)]

    def of_file(self, rows):
        return [(name, wrong) for name, check in self.file_rules if (wrong := check(rows))]


def check(path, invoices=None):
    """(rules, {rule: where it failed}, rows, columns)"""
    columns, rows = read(path)
    rules = Rules(columns, invoices)
    failed = collections.defaultdict(list)
    for name, column in rules.model.missing:
        failed[name].append(f"no column {column}")
    for column in columns:
        if not re.fullmatch(r"(x_)?[A-Z][A-Za-z0-9]{0,49}", column):
            failed["ColumnHandling"].append(column)
    if [c.startswith("x_") for c in columns] != sorted(c.startswith("x_") for c in columns):
        failed["ColumnHandling-A-013-O"].append("columns of our own are not last")
    for i, row in enumerate(rows):
        for name in rules.of_row(row):
            failed[name].append(f"row {i + 1}")
    for name, wrong in rules.of_file(rows):
        failed[name] += [f"row {i + 1}" if isinstance(i, int) else str(i) for i in wrong]
    return rules, failed, rows, columns


def main(argv):
    files = [a for a in argv[1:] if not a.startswith("--")]
    if len(files) not in (1, 2):
        print(__doc__)
        return 2
    if not os.path.exists(MODEL):
        print(f"no {MODEL}: the FOCUS model is not here")
        return 77
    invoices = json.load(open(files[1], encoding="utf-8")) if "--reconcile" in argv else None
    rules, failed, rows, columns = check(files[0], invoices)
    for name in sorted(failed):
        said = rules.model.rules.get(name, {}).get("ValidationCriteria", {}).get("MustSatisfy", "")
        print(f"{name}: {', '.join(failed[name][:5])}{' …' if len(failed[name]) > 5 else ''}  {said}")
    print(f"{len(rows)} rows, {len(columns)} columns; {len(rules.row_rules)} rules of a row, "
          f"{len(rules.file_rules)} of the file; {len(failed)} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv))
