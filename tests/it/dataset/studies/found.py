"""The tables of a dataset, and what is found in them."""

import glob
import sys

import numpy as np
import pandas as pd

DATASET = sys.argv[1]


def table(name):
    files = sorted(glob.glob(f"{DATASET}/{name}/*.parquet"))
    frames = [frame for frame in map(pd.read_parquet, files) if len(frame)]
    return pd.concat(frames, ignore_index=True) if frames else pd.read_parquet(files[0])


KEY = ["capture", "mptcpstream"]
FLOW = KEY + ["tcpstream"]
DIRECTIONS = {"server": "to server", "client": "to client"}
PERCENTILES = {"p25": 25, "median": 50, "p75": 75, "p90": 90, "p95": 95, "p99": 99, "max": 100}


class Found:
    """What the computation found: numbers by group and quantity, series by panel and name;
    those without an order are compared in order of their values, of those in `last` only the last point of equal x."""

    def __init__(self):
        self.numbers, self.series, self.unordered, self.last = {}, {}, {}, {}

    def number(self, group, quantity, value):
        self.numbers[group or None, quantity] = value

    def share(self, group, quantity, mask):
        mask = np.asarray(mask, dtype=bool)
        self.number(group, quantity, mask.mean() if len(mask) else None)

    def limits(self, group, what, values, most={}, least={}):
        values = np.asarray(values, dtype=float)
        for shown, limit in most.items():
            self.share(group, f"{what} at most {shown}", values <= limit)
        for shown, limit in least.items():
            self.share(group, f"{what} at least {shown}", values >= limit)

    def distribution(self, group, what, values):
        values = np.asarray(values, dtype=float)
        some = len(values) > 0
        self.number(group, f"{what}: values", len(values))
        self.number(group, f"{what}: mean", np.mean(values) if some else None)
        self.number(group, f"{what}: standard deviation", np.std(values, ddof=1) if len(values) > 1 else None)
        self.number(group, f"{what}: min", np.min(values) if some else None)
        for name, percent in PERCENTILES.items():
            self.number(group, f"{what}: {name}", np.percentile(values, percent) if some else None)

    def cdf(self, panel, name, values, log=True, kind="at most"):
        """The steps: at each distinct value the share of values (or of their sum) at most, or above it."""
        values = np.sort(np.asarray(values, dtype=float))
        if not len(values):
            return
        xs, counts = np.unique(values, return_counts=True)
        if kind == "of sum":
            if values.sum() <= 0:
                return
            ys, start = np.cumsum(xs * counts) / values.sum(), 0.0
        else:
            ys, start = np.cumsum(counts) / len(values), 0.0
            if kind == "more than":
                ys, start = 1 - ys, 1.0
        points = [(xs[0], start), *zip(xs, ys)]
        self.series[panel, name] = [(x, y) for x, y in points if x > 0 or not log]

    def bars(self, panel, name, heights):
        self.series[panel, name] = list(enumerate(heights))

    def boxes(self, panel, groups):
        """Quartiles of each group that has values; places count all groups."""
        found, half = [], {1: 0.08, 2: 0.16, 3: 0.24}.get(len(groups), 0.32)
        for place, values in enumerate(groups):
            if len(values):
                low, high = np.percentile(values, [25, 75])
                found.append((place - half, low, place + half, high))
        if found:
            self.series[panel, "quartiles"] = found


def named(group, part):
    return ", ".join(word for word in (group, part) if word)


captures, handshakes, connections = table("captures"), table("handshakes"), table("connections")
directions, subflows, flows = table("directions"), table("subflows"), table("subflow_directions")
bursts = table("bursts")
STUDIES = {}


def study(function):
    STUDIES[function.__name__] = function
    return function
