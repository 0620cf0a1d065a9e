# SPDX-License-Identifier: Apache-2.0
"""Where a run was measured; what cannot be read is "unknown" or 0, never a guess."""
import ctypes
import hashlib
import os
import platform
import re
import subprocess
from pathlib import Path

from verb import NAME, Document, Usage, printable

# Libraries that keyward-bench and its servers have in common: the beginning of the file's name,
# and the function that tells the version, with what it is asked.
LIBRARIES = {"grpc": ("libgrpc.so", "grpc_version_string", 0),
             "openssl": ("libcrypto.so", "OpenSSL_version", 7),  # OPENSSL_FULL_VERSION_STRING
             "nghttp2": ("libnghttp2.so", "nghttp2_version", 0),  # no least version
             "jansson": ("libjansson.so", "jansson_version_str", 0)}


def found(path: Path, pattern: str = "(.+)", unknown: str = "unknown") -> str:
    text = path.read_text(errors="replace") if path.exists() else ""
    match = re.search(f"^{pattern}$", text, re.MULTILINE)
    return printable(match[1].strip().strip('"'), 95) if match else unknown


def machine(root: Path = Path("/")) -> Document:
    cpu, dmi = root / "proc/cpuinfo", root / "sys/class/dmi/id"
    virtual = found(cpu, r"flags\s*:.*\b(hypervisor)\b.*",
                    "none" if found(cpu, "(flags).*", "") else "unknown")
    if virtual == "hypervisor":
        names = [found(dmi / name, unknown="") for name in ("sys_vendor", "product_name")]
        virtual = " ".join(filter(None, names)) or "some hypervisor"
    return {"cpu": found(cpu, r"model name\s*:(.*)"), "cpus": os.cpu_count() or 0,
            "kernel": platform.release() or "unknown",
            "governor": found(root / "sys/devices/system/cpu/cpu0/cpufreq/scaling_governor"),
            "virtualisation": virtual,
            "distribution": found(root / "etc/os-release", "PRETTY_NAME=(.*)"),
            "memory_kib": os.sysconf("SC_PHYS_PAGES") * (os.sysconf("SC_PAGE_SIZE") // 1024),
            "load_1m": float(found(root / "proc/loadavg", r"(\S+) .*", "0")),
            "commit": "unknown", "build": "unknown", "libraries": {}, "notes": {}}


def program(bench: str) -> Document:
    """Its build, and the versions that its libraries tell."""
    linked = subprocess.run(["ldd", bench], capture_output=True, text=True, check=False).stdout
    libraries = {"libc": os.confstr("CS_GNU_LIBC_VERSION") or "unknown"}
    for name, (file, function, asked) in LIBRARIES.items():
        if match := re.search(rf"^\s*{re.escape(file)}\S* => (/\S+)", linked, re.MULTILINE):
            tell, in_struct = getattr(ctypes.CDLL(match[1]), function), name == "nghttp2"
            tell.restype = ctypes.POINTER(ctypes.c_char_p) if in_struct else ctypes.c_char_p
            said = tell(asked)  # nghttp2's text stands behind two ints
            libraries[name] = (said[1] if in_struct else said).decode()
    build = found(Path(bench).resolve().parents[1] / "CMakeCache.txt",
                  "CMAKE_BUILD_TYPE:[A-Z]+=(.+)")
    return {"build": build, "libraries": libraries}


def add_note(environment: Document, text: str) -> None:
    """KEY=VALUE; commit=… is the environment's own member, everything else a note."""
    key, equals, value = text.partition("=")
    notes = environment if key == "commit" else environment["notes"]
    full = notes is not environment and (key in notes or len(notes) == 16)
    if not equals or not re.fullmatch(NAME, key) or value != printable(value, 191) or full:
        raise Usage(f"--note {text}: it wants KEY=VALUE, at most 16 keys of letters, digits and "
                    "._-, each once, and text of at most 191 bytes")
    notes[key] = value


def fingerprint(environment: Document) -> str:
    said = "\n".join(str(environment[k]) for k in ("cpu", "cpus", "kernel", "virtualisation"))
    return hashlib.sha256(said.encode()).hexdigest()[:16]
