# SPDX-License-Identifier: Apache-2.0
"""The scripts of bench/analysis import each other by their plain names; so do their tests."""
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "bench" / "analysis"))
