# SPDX-License-Identifier: Apache-2.0
"""The scripts of bench/analysis import each other by their plain names; so do their tests.

KEYWARD_BENCH is the program that measures; CMake sets it.  Whatever is started here gets
SIGTERM when pytest dies, however it dies, and then ends what it started itself.
"""
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "bench" / "analysis"))
TOLD = ["setpriv", "--pdeathsig", "TERM"]


class Program:
    """The scripts as keyward-bench runs them."""

    scripts = str(ROOT / "bench" / "analysis")
    path = os.environ.get("KEYWARD_BENCH", str(ROOT / "build" / "dev" / "bin" / "keyward-bench"))

    def argv(self, *words):
        return [*TOLD, "/usr/bin/python3", "-I", "-B", self.scripts, "--bench", self.path,
                *map(str, words)]

    def __call__(self, *words, **more):
        """Who takes too long is told before it is killed, so that it leaves nobody behind."""
        with subprocess.Popen(self.argv(*words), stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              text=True, **more) as process:
            try:
                out, err = process.communicate(timeout=50)
            except BaseException:
                process.terminate()
                try:
                    process.communicate(timeout=20)
                finally:
                    process.kill()
                raise
        return subprocess.CompletedProcess(words, process.returncode, out, err)


@pytest.fixture
def program():
    return Program()


@pytest.fixture
def echo(tmp_path_factory):
    """The socket of an echo that has said that it serves."""
    socket = tmp_path_factory.mktemp("echo") / "s"
    with subprocess.Popen([*TOLD, Program.path, "echo", socket], stdout=subprocess.PIPE) as server:
        try:
            assert server.stdout.readline()
            yield socket
        finally:
            server.terminate()
            assert server.wait() == 0
