"""Runs the real thing on this machine: a scheduler and two workers on loopback, a worker killed, and a stand-in for S3.

`MPTCPANALYZER` is the program, `MPTCP_CAPTURES` a folder with captures. Needs requirements.txt; moto for the S3 part.
"""

import json
import logging
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest

import pyarrow.parquet as parquet

RUNNER = pathlib.Path(__file__).with_name("mptcp_dask.py")
PROGRAM = os.environ["MPTCPANALYZER"]
CAPTURES = pathlib.Path(os.environ["MPTCP_CAPTURES"])
PATIENCE = 120


def tables(dataset, filesystem=None, without=()):
    """Every table's rows, in an order that does not depend on the files."""
    opened = {}
    for path in filesystem.ls(dataset) if filesystem else os.listdir(dataset):
        name = path.rsplit("/", 1)[-1]
        if not name.startswith("_"):
            rows = parquet.read_table(f"{dataset}/{name}", filesystem=filesystem).to_pylist()
            rows = [{key: value for key, value in row.items() if key not in without} for row in rows]
            opened[name] = sorted(json.dumps(row, default=str, sort_keys=True) for row in rows)
    return opened


class Cluster:
    """A scheduler and workers, each a process of its own."""

    def __init__(self, folder, workers):
        self.file = f"{folder}/scheduler.json"

        def start(tool, *options):
            command = [sys.executable, "-m", f"distributed.cli.dask_{tool}", "--scheduler-file", self.file]
            return subprocess.Popen(
                [*command, "--host", "127.0.0.1", "--no-dashboard", *options], stderr=subprocess.DEVNULL
            )

        self.processes = [start("scheduler", "--port", "0")]
        until = time.monotonic() + PATIENCE
        while not os.path.exists(self.file) and time.monotonic() < until:
            time.sleep(0.05)
        place = ["--local-directory", folder, "--nthreads", "1", "--no-nanny"]
        self.processes += [start("worker", *place) for _ in range(workers)]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for process in reversed(self.processes):
            process.kill()
            process.wait()


class Distributed(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.captures = f"{self.folder.name}/captures"
        os.mkdir(self.captures)
        files = sorted(file for file in CAPTURES.rglob("*.pcap*") if file.stat().st_size < 200_000)
        for number in range(29):
            shutil.copy(files[number % len(files)], f"{self.captures}/{number:02}.pcap")
        pathlib.Path(f"{self.captures}/garbage.pcap").write_bytes(b"\x07 garbage" * 99)
        self.alone = f"{self.folder.name}/alone"
        done = subprocess.run(
            [PROGRAM, "analyze", self.captures, "--root", self.captures, "--out", self.alone], capture_output=True, check=False
        )
        self.assertEqual(done.returncode, 3, done.stderr)

    def runner(self, *arguments, **more):
        return subprocess.Popen(
            [sys.executable, str(RUNNER), *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **more
        )

    def test_a_killed_worker_costs_no_rows(self):
        slow = f"{self.folder.name}/slow"
        pathlib.Path(slow).write_text(f'#!/bin/sh\nsleep 0.1\nexec "{PROGRAM}" "$@"\n')
        os.chmod(slow, 0o755)
        out = f"{self.folder.name}/dataset"
        with Cluster(self.folder.name, 2) as cluster:
            arguments = [self.captures, "--root", self.captures, "--out", out, "--program", slow, "--scheduler", cluster.file]
            run = self.runner(*arguments)
            records = []
            for line in run.stdout:
                records.append(json.loads(line))
                if len(records) == 10:
                    os.kill(cluster.processes[-1].pid, signal.SIGKILL)
            errors = run.stderr.read()
            self.assertEqual(run.wait(PATIENCE), 3, errors)
            again = self.runner(*arguments)
            self.assertEqual({json.loads(line)["status"] for line in again.communicate(timeout=PATIENCE)[0].splitlines()}, {"skipped"})
        self.assertEqual(len({record["name"] for record in records}), 30)
        self.assertEqual([record["name"] for record in records if record["status"] == "error"], ["garbage.pcap"])
        self.assertEqual(tables(out), tables(self.alone))

    def test_captures_and_dataset_in_s3(self):
        try:
            from moto.server import ThreadedMotoServer
            import s3fs
        except ImportError:
            self.skipTest("moto and s3fs are not installed")
        logging.getLogger("werkzeug").setLevel(logging.ERROR)
        server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
        server.start()
        self.addCleanup(server.stop)
        host, port = server.get_host_and_port()
        keys = {"AWS_ACCESS_KEY_ID": "any", "AWS_SECRET_ACCESS_KEY": "any", "AWS_DEFAULT_REGION": "us-east-1"}
        environment = {**os.environ, **keys, "AWS_ENDPOINT_URL": f"http://{host}:{port}"}
        os.environ.update(environment)
        s3 = s3fs.S3FileSystem()
        s3.mkdir("lab")
        s3.put(self.captures, "lab/captures", recursive=True)
        arguments = ["s3://lab/captures", "--out", "s3://lab/dataset", "--program", PROGRAM, "--workers", "2"]
        for expected in (30, 1):  # What is there is done; what failed is tried again.
            run = self.runner(*arguments, env=environment)
            said, errors = run.communicate(timeout=PATIENCE)
            self.assertEqual((run.returncode, len(said.splitlines())), (3, expected), errors)
            s3.invalidate_cache()
            # Where the file was, and when it came there, differ.
            local = ("path", "mtime", "error")
            self.assertEqual(tables("lab/dataset", s3, local), tables(self.alone, None, local))


if __name__ == "__main__":
    unittest.main()
