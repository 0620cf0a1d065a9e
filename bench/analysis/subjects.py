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
from typing import Any, Union

import verb
from verb import Stopped, Unable

PREPARE = Path(__file__).parent / "prepare"
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
        self.servers: dict[str, "subprocess.Popen[bytes]"] = {}

    def prepare(self, *words: Words) -> None:
        """What has to succeed; when it does not, the end of its log is shown."""
        log = self.path / f"{words[0]}.log"
        with open(log, "ab") as out:
            done = self.stop.run([PREPARE, *words], stdout=out, stderr=out)
        if self.stop.asked:
            raise Stopped
        if done.returncode != 0:
            print(*log.read_text(errors="replace").splitlines()[-12:], sep="\n", file=sys.stderr)
            raise Unable(f"this failed (see above): prepare {' '.join(map(str, words))}")

    def command(self, *words: Words, become: tuple[str, ...] = ()) -> list[str]:
        """Each of these programs becomes the next; told when we die."""
        return ["setpriv", *become, "--pdeathsig", "TERM", "taskset", "-c", self.cpus,
                *map(str, words)]

    def launch(self, name: str, ready: str, argv: list[str], **env: str) -> None:
        """In a session of its own, so that Ctrl-C reaches only who measures.  Comes back
        when a line of its log is like `ready`."""
        path = self.path / f"{name}.log"
        with open(path, "wb") as log:
            server = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                      start_new_session=True, env={**os.environ, **env})
        self.servers[name] = server
        self.callback(self.end, name, server)
        while re.search(ready, path.read_text(errors="replace"), re.MULTILINE) is None:
            if self.stop.asked:
                raise Stopped
            if verb.ended(server, 0.02):
                raise Unable(f"{name} did not come up: {path.read_text(errors='replace')}")

    def end(self, name: str, server: "subprocess.Popen[bytes]") -> None:
        server.terminate()
        if not verb.ended(server, 15):
            verb.complain("suite", f"{name} did not end within 15 s of SIGTERM: killed")
            server.kill()
            server.wait()

    def serve(self, name: str, program: Path, *words: Words, **env: str) -> None:
        """A server of ours that says its first line when it serves; @ is its socket's path."""
        socket = f"{self.path}/{name}.sock"
        argv = self.command(program, *(socket if word == "@" else word for word in words))
        self.launch(name, f" {re.escape(socket)}$", argv, **env)

    def token(self, name: str) -> tuple[dict[str, str], list[str], Path]:
        """An empty SoftHSM token for whoever calls: its environment, the words that name it
        to keyward-bench, and the file of its PIN."""
        folder = self.path / f"token-{name}"
        self.prepare("token", folder)
        module = subprocess.run([PREPARE, "module"], capture_output=True, text=True, check=True)
        return ({"SOFTHSM2_CONF": f"{folder}/softhsm2.conf"},
                ["--module", module.stdout.strip(), "--uri", "pkcs11:token=bench", "--pin",
                 f"file:{folder}/pin"], folder / "pin")

    def in_process(self, name: str, *words: str) -> None:
        env, token, _ = self.token(name)
        self.serve(name, self.bench, "serve", "@", "--work", "token", *token, *words, **env)

    def daemon(self, name: str, programs: str = "bin") -> list[str]:
        """keywardd refuses to be root; everything else runs as whoever calls."""
        become = ("--reuid", "keyward", "--regid", "keyward", "--clear-groups")
        folder = self.path / programs
        return self.command(folder / "keywardd", "--config", self.path / name / "keyward.yaml",
                            "--worker", folder / "keyward-hsm",
                            become=become if os.getuid() == 0 else ())

    def start_daemon(self, name: str, programs: str = "bin") -> None:
        self.launch(name, "event=hsm-state.*to=up", self.daemon(name, programs))

    def make_node(self, name: str, delay: str = "", workers: int = 2, programs: str = "bin"
                  ) -> None:
        self.prepare("node", self.path / name, self.path / programs, str(workers), delay)

    def node(self, name: str, programs: str = "bin", **how: Any) -> None:
        self.make_node(name, programs=programs, **how)
        self.start_daemon(name, programs)

    def start_quick(self) -> None:
        self.serve("echo", self.bench, "echo", "@")
        self.node("wall2")
        self.in_process("inproc")
        env, token, pin = self.token("peer")
        self.serve("peer", self.bench.with_name("keyward-bench-peer"), *token[:2], "--token",
                   "bench", "--pin", pin, "@", **env)

    def start_full(self) -> None:
        self.serve("software", self.bench, "serve", "@", "--work", "software")
        self.node("wall1", workers=1)
        self.in_process("noverify", "--no-verify")
        self.in_process("copy", "--key", "copy")
        for name, delay in (("slow500us", "500us"), ("slow2ms", "2"), ("slow10ms", "10")):
            self.node(name, delay=delay)
        self.make_node("gap")
        start = self.path / "gap" / "start"
        start.write_text("#!/bin/sh\nexec " + " ".join(self.daemon("gap")) + "\n")
        start.chmod(0o755)

    def start_both(self, other_bench: Path) -> None:
        for name, bench, programs in (("old", other_bench, "other"), ("new", self.bench, "bin")):
            self.serve(f"{name}.echo", bench, "echo", "@")
            self.node(f"{name}.wall2", programs)
