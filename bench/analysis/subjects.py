# SPDX-License-Identifier: Apache-2.0
"""What ci/bench measures, and how each of it is started and stopped."""
import os
import re
import shutil
import subprocess
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import Union

import verb
from verb import Unable

PREPARE = Path(__file__).parent / "prepare"
BECOME = ("--reuid", "keyward", "--regid", "keyward", "--clear-groups")
Words = Union[str, Path]


class Subjects(ExitStack):
    """Servers on their CPUs, in a folder below /var/tmp: short, as a socket's path is, and
    where the daemon's user can go.  All of it is gone when `with` is left."""

    def __init__(self, stop: verb.Stop, cpus: str, bench: Path) -> None:
        super().__init__()
        self.stop, self.cpus, self.bench = stop, cpus, bench
        self.path = Path(tempfile.mkdtemp(prefix="keyward-bench-", dir="/var/tmp"))
        self.path.chmod(0o755)
        self.callback(shutil.rmtree, self.path)
        self.servers: dict[str, verb.Process] = {}

    def prepare(self, *words: Words) -> None:
        """What has to succeed; when it does not, the end of its log is shown."""
        log = self.path / f"{words[0]}.log"
        with open(log, "ab") as out:
            done = self.stop.run([PREPARE, *words], stdout=out, stderr=out)
        self.stop.check()
        if done.returncode != 0:
            print(*log.read_text(errors="replace").splitlines()[-12:], sep="\n", file=sys.stderr)
            raise Unable(f"this failed (see above): prepare {' '.join(map(str, words))}")

    def command(self, *words: Words, become: tuple[str, ...] = ()) -> list[str]:
        """Each of these programs becomes the next; told when we die."""
        return ["setpriv", *become, "--pdeathsig", "TERM", "taskset", "-c", self.cpus,
                *map(str, words)]

    def launch(self, name: str, ready: str, argv: list[str], **env: str) -> None:
        """Comes back when a line of its log is like `ready`."""
        path = self.path / f"{name}.log"
        with open(path, "wb") as log:
            server = self.servers[name] = verb.start(argv, log, log, env={**os.environ, **env})
        self.callback(self.end, name, server)
        while re.search(ready, path.read_text(errors="replace"), re.MULTILINE) is None:
            self.stop.check()
            if verb.ended(server, 0.02):
                raise Unable(f"{name} did not come up: {path.read_text(errors='replace')}")

    def end(self, name: str, server: verb.Process) -> None:
        if not verb.end(server, 15):
            verb.complain("suite", f"{name} did not end within 15 s of SIGTERM: killed")

    def token(self, name: str) -> tuple[dict[str, str], list[str], Path]:
        """An empty SoftHSM token for whoever calls: its environment, the words that name it
        to keyward-bench, and the file of its PIN."""
        folder = self.path / f"token-{name}"
        self.prepare("token", folder)
        module = subprocess.run([PREPARE, "module"], capture_output=True, text=True, check=True)
        return ({"SOFTHSM2_CONF": f"{folder}/softhsm2.conf"},
                ["--module", module.stdout.strip(), "--uri", "pkcs11:token=bench", "--pin",
                 f"file:{folder}/pin"], folder / "pin")

    def daemon(self, name: str, programs: str) -> list[str]:
        """keywardd refuses to be root; everything else runs as whoever calls."""
        folder = self.path / programs
        return self.command(folder / "keywardd", "--config", self.path / name / "keyward.yaml",
                            "--worker", folder / "keyward-hsm",
                            become=BECOME if os.getuid() == 0 else ())

    def start_daemon(self, name: str, programs: str = "bin") -> None:
        self.launch(name, "event=hsm-state.*to=up", self.daemon(name, programs))

    def serve(self, name: str, program: Path, *words: Words, **env: str) -> None:
        """A server of ours that says its first line when it serves; @ is its socket's path."""
        socket = f"{self.path}/{name}.sock"
        argv = self.command(program, *(socket if word == "@" else word for word in words))
        self.launch(name, f" {re.escape(socket)}$", argv, **env)

    def start(self, name: str, kind: str, words: list[str], bench: Path, programs: str) -> None:
        """As a line of servers.txt says."""
        if kind in ("node", "ready"):
            self.prepare("node", self.path / name, self.path / programs, *words)
        if kind == "node":
            self.start_daemon(name, programs)
        elif kind == "ready":
            script = self.path / name / "start"
            script.write_text("#!/bin/sh\nexec " + " ".join(self.daemon(name, programs)) + "\n")
            script.chmod(0o755)
        elif kind == "bench":
            self.serve(name, bench, *words)
        else:
            env, token, pin = self.token(name)
            if kind == "peer":
                bench = bench.with_name("keyward-bench-peer")
                token = [*token[:2], "--token", "bench", "--pin", str(pin), "@"]
            self.serve(name, bench, *words, *token, **env)
