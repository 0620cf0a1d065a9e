# SPDX-License-Identifier: Apache-2.0
"""The scripts of bench/analysis import each other by their plain names; so do their tests.

KEYWARD_BENCH is the program that measures; CMake sets it.
"""
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "bench" / "analysis"))


class Program:
    """The scripts as keyward-bench runs them."""

    scripts = str(ROOT / "bench" / "analysis")
    path = os.environ.get("KEYWARD_BENCH", str(ROOT / "build" / "dev" / "bin" / "keyward-bench"))

    def argv(self, *words):
        return ["/usr/bin/python3", "-I", "-B", self.scripts, "--bench", self.path,
                *map(str, words)]

    def __call__(self, *words, **more):
        return subprocess.run(self.argv(*words), capture_output=True, text=True, check=False,
                              timeout=50, **more)


@pytest.fixture
def program():
    return Program()


@pytest.fixture
def echo(tmp_path_factory):
    """The socket of an echo that has said that it serves."""
    socket = tmp_path_factory.mktemp("echo") / "s"
    with subprocess.Popen([Program.path, "echo", socket], stdout=subprocess.PIPE) as server:
        assert server.stdout.readline()
        yield socket
        server.terminate()
        assert server.wait() == 0
