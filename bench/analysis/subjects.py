# SPDX-License-Identifier: Apache-2.0
"""What ci/bench measures, and how each of it is started and stopped."""
import os
import re
import secrets
import subprocess
import sys
from glob import glob
from pathlib import Path
from typing import Optional, Union

import verb
from machine import Interrupted, Layout, Scratch
from verb import Unable

# Three ways to look at one keywardd: all in the cache, nothing in it, a little of it.
CLASSES = (("cached", 8192, "1h"), ("uncached", 0, "0s"), ("small", 256, "1h"))
CONFIG = """\
domain: bench
environment: test
keyring: {dir}/keyring.json
state: {dir}/state
status: {dir}/run/status.sock
hsm:
  tokens:
    - uri: "pkcs11:token=keyward"
      module: {module}
      pin: file:{dir}/pin
      env: {{{env}}}
      workers: {workers}
classes:
"""
CLASS = """\
  - name: {name}
    scope: {name}
    socket: {dir}/run/{name}.sock
    mode: 0660
    peers: {{uids: [{uid}]}}
    on-hsm-loss: fail-closed
    cache: {{entries: {entries}, ttl: {ttl}}}
"""


def softhsm_module() -> str:
    for pattern in ("/usr/lib/softhsm", "/usr/lib64/softhsm", "/usr/lib/*/softhsm",
                    "/usr/lib/pkcs11", "/usr/lib64/pkcs11"):
        for path in sorted(glob(pattern + "/libsofthsm2.so")):
            return path
    raise Unable("there is no libsofthsm2.so: is the package softhsm2 installed?")


class Subjects:
    """Servers on the servers' CPUs; all of them have ended when `with` is left."""

    def __init__(self, scratch: Scratch, layout: Layout, user: str, become: list[str],
                 bench: Path) -> None:
        self.scratch, self.layout, self.user, self.become = scratch, layout, user, become
        self.bench, self.module, self.path = bench, softhsm_module(), scratch.path
        self.servers: dict[str, "subprocess.Popen[bytes]"] = {}

    def __enter__(self) -> "Subjects":
        return self

    def __exit__(self, *_: object) -> None:
        for name in list(self.servers):
            self.stop(name)

    # ---- processes ---------------------------------------------------------------------------

    def command(self, become: list[str], *words: Union[str, Path]) -> list[str]:
        """Each of these programs becomes the next; told when we die."""
        return ["setpriv", *become, "--pdeathsig", "TERM", "taskset", "-c", self.layout.server,
                *map(str, words)]

    def launch(self, name: str, ready: str, argv: list[str], env: Optional[dict[str, str]] = None,
               ) -> None:
        """In a session of its own, so that Ctrl-C reaches only who measures.  Comes back
        when a line of its log is like `ready`."""
        path = self.scratch.log(name)
        with open(path, "wb") as log:
            server = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                      start_new_session=True, env={**os.environ, **(env or {})})
        self.servers[name] = server
        while re.search(ready, path.read_text(errors="replace"), re.MULTILINE) is None:
            if self.scratch.commands.asked:
                raise Interrupted
            if verb.ended(server, 0.02):
                raise Unable(f"{name} did not come up")

    def stop(self, name: str) -> None:
        server = self.servers.pop(name)
        server.terminate()
        if not verb.ended(server, 15):
            print(f"ci/bench: {name} did not end within 15 s of SIGTERM: killed", file=sys.stderr)
            server.kill()
            server.wait()

    def serve(self, name: str, program: Path, *words: Union[str, Path],
              env: Optional[dict[str, str]] = None) -> None:
        """A server of ours that says its first line when it serves; @ is its socket's path."""
        socket = f"{self.path}/{name}.sock"
        argv = self.command([], program, *(socket if w == "@" else w for w in words))
        self.launch(name, f" {re.escape(socket)}$", argv, env)

    # ---- tokens and nodes --------------------------------------------------------------------

    def token(self, name: str) -> tuple[dict[str, str], list[str]]:
        """An empty SoftHSM token for whoever calls: its environment, and the words that name
        it to keyward-bench."""
        folder, pin = self.path / f"token-{name}", secrets.token_hex(8)
        (folder / "tokens").mkdir(mode=0o700, parents=True)
        folder.chmod(0o700)
        conf = folder / "softhsm2.conf"
        conf.write_text(f"directories.tokendir = {folder}/tokens\nlog.level = ERROR\n")
        (folder / "pin").touch(0o600)
        (folder / "pin").write_text(pin + "\n")
        self.scratch.logged("tokens", "softhsm2-util", "--init-token", "--free", "--label", "bench",
                            "--pin", pin, "--so-pin", secrets.token_hex(8),
                            env={"SOFTHSM2_CONF": str(conf)})
        return ({"SOFTHSM2_CONF": str(conf)},
                ["--module", self.module, "--uri", "pkcs11:token=bench", "--pin",
                 f"file:{folder}/pin"])

    def make_node(self, name: str, workers: int, delay: str = "", programs: str = "bin") -> None:
        """Token, key ceremony, configuration; `delay` is that of each operation."""
        folder, keyward = self.path / name, self.path / programs / "keyward"
        config, log = folder / "keyward.yaml", f"node-{name}"
        folder.mkdir()
        self.scratch.logged(log, keyward, "init", "--first", "--softhsm", "--dir", folder, "--user",
                            self.user, "--domain", "bench")
        module, env = self.module, f"SOFTHSM2_CONF: {folder}/softhsm2.conf"
        if delay:
            module = f"{self.path}/bin/keyward-fault.so"
            env += f", KW_FAULT_MODULE: {self.module}, KW_FAULT_CONTROL: {folder}/control"
            (folder / "control").write_text(
                f"C_Encrypt delay={delay}\nC_Decrypt delay={delay}\n")
            (folder / "control").chmod(0o644)
        text = CONFIG.format(dir=folder, module=module, env=env, workers=workers)
        for label, entries, ttl in CLASSES:
            text += CLASS.format(dir=folder, name=label, uid=os.getuid(), entries=entries, ttl=ttl)
        config.write_text(text)
        for words in ("create", "accept 1", "activate 1 --baseline --only-copy --now"):
            self.scratch.logged(log, keyward, "key", *words.split(), "--config", config)

    def daemon(self, name: str, programs: str) -> list[str]:
        bin_ = self.path / programs
        return self.command(self.become, bin_ / "keywardd", "--config",
                            self.path / name / "keyward.yaml", "--worker", bin_ / "keyward-hsm")

    def start_daemon(self, name: str, programs: str = "bin") -> None:
        self.launch(name, "event=hsm-state.*to=up", self.daemon(name, programs))

    def node(self, name: str, workers: int, delay: str = "", programs: str = "bin") -> None:
        self.make_node(name, workers, delay, programs)
        self.start_daemon(name, programs)

    def in_process(self, name: str, *words: str) -> None:
        env, token = self.token(name)
        self.serve(name, self.bench, "serve", "@", "--work", "token", *token, *words, env=env)

    # ---- which of them -----------------------------------------------------------------------

    def start_quick(self) -> None:
        print("\n== what is measured: echo, keywardd with two workers, the token in the process, a "
              "Go plugin", flush=True)
        self.serve("echo", self.bench, "echo", "@")
        self.node("wall2", 2)
        self.in_process("inproc")
        env, _ = self.token("peer")
        self.serve("peer", self.bench.parent / "keyward-bench-peer", "--module", self.module,
                   "--token", "bench", "--pin", self.path / "token-peer" / "pin", "@", env=env)

    def start_full(self) -> None:
        print("\n== and: a cipher in software, one worker, no verify, a copied key, slowed tokens",
              flush=True)
        self.serve("software", self.bench, "serve", "@", "--work", "software")
        self.node("wall1", 1)
        self.in_process("noverify", "--no-verify")
        self.in_process("copy", "--key", "copy")
        self.node("slow500us", 2, "500us")
        self.node("slow2ms", 2, "2")
        self.node("slow10ms", 2, "10")
        self.make_node("gap", 2)
        start = self.path / "gap" / "start"
        start.write_text("#!/bin/sh\nexec " + " ".join(self.daemon("gap", "bin")) + "\n")
        start.chmod(0o755)

    def start_compare(self, revision: str, other_bench: Path) -> None:
        print(f"\n== what is measured: echo and keywardd with two workers, of {revision} and of "
              "this tree", flush=True)
        self.serve("old.echo", other_bench, "echo", "@")
        self.serve("new.echo", self.bench, "echo", "@")
        self.node("old.wall2", 2, programs="other")
        self.node("new.wall2", 2)
