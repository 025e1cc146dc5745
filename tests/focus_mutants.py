"""How many wrong cells are noticed?   focus_mutants.py FILE --reconcile invoices.json [--survivors]

Changes one cell of a clean FOCUS file at a time: blanked; another value of the same kind; a number
scaled, negated or a hundredth off; a null filled. A mutant is caught if any rule fails that did not
before. Only FOCUS columns count, not our x_ ones. Prints the score; exit 0 if at least LEAST percent
are caught by rules and reconciliation together."""

import collections
import json
import os
import sys

from focus_rules import MODEL, NUMBER, WHEN, Rules, read

LEAST = 80


def blank(_column, old, _others):
    return None if old is not None else []


def other(_column, old, others):
    """A value that the same column has in another row: the hardest to notice."""
    return next((o for o in others if o is not None and o != old), []) if old is not None else []


def garbled(_column, old, _others):
    if old is None or WHEN.fullmatch(old) or NUMBER.fullmatch(old):
        return []
    return old[:-1] + "x" if old[-1] != "x" else old + "y"


def scaled(_column, old, _others):
    if old is None or not NUMBER.fullmatch(old) or float(old) == 0:
        return []
    whole, _, decimals = old.partition(".")
    return f"{whole}{decimals[:1] or '0'}.{decimals[1:] or '0'}"


def off(_column, old, _others):
    if old is None or not NUMBER.fullmatch(old):
        return []
    digits = old.rstrip("0") if "." in old else old
    last = digits.rstrip(".")
    return last[:-1] + ("1" if last[-1] != "1" else "2")


def negated(_column, old, _others):
    if old is None or not NUMBER.fullmatch(old) or float(old) == 0:
        return []
    return old[1:] if old.startswith("-") else "-" + old


def later(_column, old, _others):
    """A day earlier or later, still a time."""
    if old is None or not WHEN.fullmatch(old):
        return []
    day = int(old[8:10])
    return f"{old[:8]}{day + 1 if day < 28 else day - 1:02}{old[10:]}"


def malformed(_column, old, _others):
    if old is None:
        return []
    if WHEN.fullmatch(old):
        return old.replace("T", " ")
    return f"${old}" if NUMBER.fullmatch(old) else []


def filled(_column, old, others):
    return next((o for o in others if o is not None), []) if old is None else []


OPERATORS = [blank, other, garbled, scaled, off, negated, later, malformed, filled]


def mutants(columns, rows):
    """(row, column, operator's name, the new cell)"""
    for column in columns:
        if column.startswith("x_"):
            continue
        values = [row[column] for row in rows]
        for i, row in enumerate(rows):
            others = values[i + 1:] + values[:i]
            for operator in OPERATORS:
                new = operator(column, row[column], others)
                if new != [] and new != row[column]:
                    yield i, column, operator.__name__, new


def score(path, invoices):
    columns, rows = read(path)
    rules, book = Rules(columns), Rules(columns, invoices)
    if book.model.missing or book.of_file(rows) or any(book.of_row(r) for r in rows):
        print("the file is not clean to begin with")
        return None
    made, by_rules, by_all = (collections.Counter() for _ in range(3))
    survivors = collections.Counter()
    model_only = 0
    for i, column, operator, new in mutants(columns, rows):
        changed = dict(rows[i])
        changed[column] = new
        all_rows = rows[:i] + [changed] + rows[i + 1:]
        made[column] += 1
        failed = rules.of_row(changed) or [n for n, _ in rules.of_file(all_rows)]
        model_only += any(not n.startswith(("X-", "P-")) for n in failed)
        caught = bool(failed) or book.of_row(changed) or book.of_file(all_rows)
        by_rules[column] += bool(failed)
        by_all[column] += bool(caught)
        if not caught:
            survivors[column, operator] += 1
    return made, by_rules, by_all, survivors, model_only


def main(argv):
    if not os.path.exists(MODEL):
        print(f"no {MODEL}: the FOCUS model is not here")
        return 77
    found = score(argv[1], json.load(open(argv[3], encoding="utf-8")))
    if found is None:
        return 1
    made, by_rules, by_all, survivors, model_only = found
    total, caught = made.total(), by_all.total()
    print(f"{total} mutants of one cell: {caught} caught ({100 * caught / total:.1f} %), "
          f"{by_rules.total()} ({100 * by_rules.total() / total:.1f} %) without the invoices, "
          f"{model_only} ({100 * model_only / total:.1f} %) by rules of the model alone")
    print("not caught, by column: " + ", ".join(
        f"{c} {made[c] - by_all[c]} of {made[c]} ("
        + ", ".join(f"{o} {n}" for (c2, o), n in survivors.items() if c2 == c) + ")"
        for c in made if by_all[c] < made[c]))
    return 0 if caught * 100 >= total * LEAST else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv))
