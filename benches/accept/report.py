"""Prints the results: tables for people, or one JSON object."""

import json
import os
import re

from cases import STARTS_WHEN_DRAINED, STORES
from shared import say


def table(head, rows):
    """Prints a Markdown table with aligned columns: figures to the right, everything else to the left."""
    rows = [[str(cell) for cell in row] for row in rows]
    widths = [max(len(row[column]) for row in [head, *rows]) for column in range(len(head))]
    right = [all(re.fullmatch(r"[\d.,]+", row[column]) for row in rows) for column in range(len(head))]

    def line(row):
        cells = (cell.rjust(width) if to_right else cell.ljust(width)
                 for cell, width, to_right in zip(row, widths, right))
        return "| " + " | ".join(cells) + " |"

    print(line(head))
    print("|" + "|".join("-" * (width + 1) + ("-:"[to_right]) for width, to_right in zip(widths, right)) + "|")
    for row in rows:
        print(line(row))


def tables(options, results):
    """The cases, notes on them, and the targets."""
    if results.rows:
        print(f"Medians of {options.pairs} pairs of {options.seconds} s, {os.cpu_count()} CPUs; "
              "the ratio is to the bare handler under the same load in the same round.\n")
        table(
            ["case", "store", "connections", "body", "bare/s", "per second", "ratio", "p50 ms", "p99 ms",
             "peak MiB", "errors"],
            [[row["text"], STORES[row["store"]], row["connections"], row["body"], f"{row['bare_per_second']:,.0f}",
              f"{row['per_second']:,.0f}", f"{row['ratio']:.2f}", f"{row['p50_ms']:.2f}", f"{row['p99_ms']:.2f}",
              f"{row['peak_mib']:.0f}", row["errors"]] for row in results.rows])
        if any(row["case"] == "end-to-end" for row in results.rows):
            print("\nOf `accepted, started, recorded` the rate is that of recorded starts until all are, and p50 "
                  "and p99\nare from acceptance to the record; the job may have "
                  f"{STARTS_WHEN_DRAINED} start requests in flight.")
        for note in results.notes:
            print(f"\n{note}")
    if results.targets:
        print()
        table(["target", "measured", "wanted", "unit", ""],
              [[target["what"], f"{target['measured']:.2f}", f"at {target['at']} {target['wanted']:g}",
                target["unit"], "kept" if target["kept"] else "MISSED"] for target in results.targets])


def tell(options, results):
    if options.json:
        print(json.dumps({"seconds": options.seconds, "pairs": options.pairs, "cpus": os.cpu_count(),
                          "cases": results.rows, "targets": results.targets, "notes": results.notes}, indent=2))
    else:
        tables(options, results)
    for row in results.rows:
        for whose, count in ((row["text"], row["errors"]), ("the bare handler", row["bare_errors"])):
            if count:
                text = (f"!!! ERRORS: {row['case']}, {STORES[row['store']]}: {count} requests to {whose} failed; "
                        "its figures say nothing.")
                say(text)
                if not options.json:
                    print(f"\n{text}")
