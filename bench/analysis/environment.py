# SPDX-License-Identifier: Apache-2.0
"""Where a run was measured: the machine, the system, the program.

Everything of the machine is read from below `root`; what cannot be read is "unknown" or
0, never a guess.
"""
import ctypes
import os
import re
import subprocess
from pathlib import Path

from verb import Document, Usage, is_name, printable

# What tells a library's version, by the beginning of its file's name.
TELLS = {"grpc": ("libgrpc.so", "grpc_version_string"),
         "openssl": ("libcrypto.so", "OpenSSL_version"),
         "nghttp2": ("libnghttp2.so", "nghttp2_version"),
         "jansson": ("libjansson.so", "jansson_version_str")}
ASKED = {"openssl": (7,), "nghttp2": (0,)}  # OPENSSL_FULL_VERSION_STRING; no least version


class NgHttp2Info(ctypes.Structure):
    _fields_ = [("age", ctypes.c_int), ("number", ctypes.c_int), ("text", ctypes.c_char_p)]


def machine(root: Path = Path("/")) -> Document:
    def text(name: str) -> str:
        try:
            return (root / name).read_text(errors="replace")
        except OSError:
            return ""

    def line(name: str) -> str:
        return printable(text(name).partition("\n")[0].strip(), 95)

    def value(of: str, key: str) -> str:
        match = re.search(rf"^{key}[ \t]*[:=][ \t]*(.*)$", of, re.MULTILINE)
        return printable(match[1].strip().strip('"'), 95) if match else ""

    info = text("proc/cpuinfo")
    flags = re.search(r"^flags[ \t]*:(.*)$", info, re.MULTILINE)
    virtual = "unknown" if flags is None else "none"
    if flags is not None and "hypervisor" in flags[1].split():
        names = [line("sys/class/dmi/id/sys_vendor")[:23] or "some hypervisor",
                 line("sys/class/dmi/id/product_name")[:35]]
        virtual = " ".join(filter(None, names))
    governor = line("sys/devices/system/cpu/cpu0/cpufreq/scaling_governor")
    return {"cpu": value(info, "model name") or "unknown",
            "cpus": len(re.findall(r"^processor[ \t]*:", info, re.MULTILINE)),
            "kernel": line("proc/sys/kernel/osrelease") or "unknown",
            "governor": governor or "unknown", "virtualisation": virtual,
            "distribution": value(text("etc/os-release"), "PRETTY_NAME") or "unknown",
            "memory_kib": int((value(text("proc/meminfo"), "MemTotal") or "0").split()[0]),
            "load_1m": float((line("proc/loadavg") or "0").split()[0]),
            "commit": "unknown", "build": "unknown", "libraries": {}, "notes": {}}


def libraries(bench: str) -> dict[str, str]:
    """Of those that the program and the servers beside it are linked with, the installed
    ones: each is loaded and asked itself, for it is what was measured."""
    beside = [Path(bench).resolve().with_name(name) for name in ("keyward-bench-echo", "keywardd")]
    linked = subprocess.run(["ldd", bench, *filter(Path.exists, beside)], capture_output=True,
                            text=True, check=False).stdout
    found = {"libc": os.confstr("CS_GNU_LIBC_VERSION") or "unknown"}
    for name, (file, function) in TELLS.items():
        match = re.search(rf"^\s*{re.escape(file)}\S* => (/\S+)", linked, re.MULTILINE)
        if match is None:
            continue
        tell = getattr(ctypes.CDLL(match[1]), function)
        tell.restype = ctypes.POINTER(NgHttp2Info) if name == "nghttp2" else ctypes.c_char_p
        said = tell(*ASKED.get(name, ()))
        found[name] = (said.contents.text if name == "nghttp2" else said).decode()
    return found


def build_type(bench: str) -> str:
    """As the folder in which the program was built says."""
    try:
        cache = (Path(bench).resolve().parents[1] / "CMakeCache.txt").read_text()
    except (OSError, IndexError):
        return "unknown"
    match = re.search("^CMAKE_BUILD_TYPE:[A-Z]+=(.+)$", cache, re.MULTILINE)
    return match[1] if match else "unknown"


def add_note(environment: Document, text: str) -> None:
    """KEY=VALUE; commit=… is the environment's own member, everything else a note."""
    key, equals, value = text.partition("=")
    notes = environment["notes"]
    wrong = None
    if not equals or not is_name(key):
        wrong = "it wants KEY=VALUE, the key of letters, digits and ._-"
    elif value != printable(value, 191):
        wrong = "the value is text of at most 191 bytes"
    elif key == "commit" and len(value) > 63:
        wrong = "a commit has at most 63 characters"
    elif key in notes:
        wrong = "this key is given twice"
    elif key != "commit" and len(notes) == 16:
        wrong = "16 notes are the most"
    if wrong:
        raise Usage(f"--note {text}: {wrong}")
    if key == "commit":
        environment["commit"] = value
    else:
        notes[key] = value


def fingerprint(environment: Document) -> str:
    """FNV-1a of cpu, cpus, kernel and virtualisation, with a border after each: figures of
    two machines are never laid side by side as one."""
    value = 0xCBF29CE484222325
    for name in ("cpu", "cpus", "kernel", "virtualisation"):
        for byte in str(environment[name]).encode() + b"\xff":
            value = (value ^ byte) * 0x100000001B3 % (1 << 64)
    return f"{value:016x}"
