# SPDX-License-Identifier: Apache-2.0
"""Members of JSON that somebody else wrote: what is of another kind is not there."""
from __future__ import annotations

import math
from typing import Any


def _member(o: Any, name: str, kind: Any) -> Any:
    v = o.get(name) if isinstance(o, dict) else None
    return v if isinstance(v, kind) else None


def number_in(o: Any, name: str, default: float = math.nan) -> float:
    v = _member(o, name, (int, float))
    return default if v is None or isinstance(v, bool) else float(v)


def text_in(o: Any, name: str) -> str:
    return _member(o, name, str) or ""


def list_in(o: Any, name: str) -> list[Any]:
    return _member(o, name, list) or []


def object_in(o: Any, name: str) -> dict[str, Any]:
    return _member(o, name, dict) or {}
