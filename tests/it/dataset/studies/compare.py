"""The numbers and series of studies, computed again from the Parquet files with pandas and NumPy.

Usage: compare.py DATASET FOLDER. FOLDER has NAME.numbers.json and NAME.values.json of each study, as the program printed
them. Differences are printed; the exit code is 1 if there are any.
"""

import glob
import json
import math
import os
import sys

import of_connections
import of_paths
from found import STUDIES, Found

FOLDER = sys.argv[2]


def near(one, other):
    if one is None or other is None:
        return one is other
    return math.isclose(one, other, rel_tol=1e-9, abs_tol=1e-9)


def compare(name, found):
    said = json.load(open(f"{FOLDER}/{name}.numbers.json"))
    numbers = {(row["group"], row["quantity"]): row for row in said}
    wrong = []
    for key, wanted in found.numbers.items():
        row = numbers.get(key)
        wanted = None if wanted is None or (isinstance(wanted, float) and math.isnan(wanted)) else float(wanted)
        if row is None or not near(row["value"], wanted):
            wrong.append(f"{name}: {key}: {row and row['value']}, NumPy has {wanted}")
    for key in numbers.keys() - found.numbers.keys():
        wrong.append(f"{name}: {key} is not checked")
    series = {}
    for row in json.load(open(f"{FOLDER}/{name}.values.json")):
        for axis in "xy":  # Axes say per cent and bits; computations are in parts of one and bytes.
            by = {"percent": 100, "bits_per_second": 8}.get(row[f"{axis}_unit"], 1)
            for value in (axis, f"{axis}_end"):
                row[value] = row[value] / by if by > 1 and row[value] is not None else row[value]
        point = (row["x"], row["y"]) if row["marks"] != "areas" else (row["x"], row["y"], row["x_end"], row["y_end"])
        if row["marks"] == "bars" and row["x_unit"] == "plain":
            point = (round((row["x"] + row["x_end"]) / 2), row["y"])
        series.setdefault((row["panel"], row["series"]), []).append(point)
    series.update((key, sorted(points)) for key, points in series.items() if key in found.unordered)
    found.series.update((key, sorted(points)) for key, points in found.unordered.items())
    for key, points in found.last.items():
        series[key], found.series[key] = list(dict(series.get(key, [])).items()), points
    for key, wanted in found.series.items():
        drawn = series.get(key, [])
        equal = len(drawn) == len(wanted) and all(
            all(near(a, b) for a, b in zip(one, other)) for one, other in zip(drawn, wanted)
        )
        if not equal and wanted:
            wrong.append(f"{name}: series {key}: {drawn[:4]} ({len(drawn)}), NumPy has {wanted[:4]} ({len(wanted)})")
    return wrong, len(found.numbers), len(found.series)


wrong, checked = [], []
for path in sorted(glob.glob(f"{FOLDER}/*.numbers.json")):
    name = os.path.basename(path).split(".")[0]
    if name not in STUDIES:
        wrong.append(f"{name}: has no computation to compare with")
        continue
    found = Found()
    STUDIES[name](found)
    more, numbers, series = compare(name, found)
    wrong += more
    checked.append(f"{name}: {numbers} numbers, {series} series")
print("\n".join(checked))
print("\n".join(wrong), file=sys.stderr)
sys.exit(bool(wrong))
