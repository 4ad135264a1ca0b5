"""Packages that only some need, in tests: what tests them is skipped where they are not installed."""

from typing import Any

import pytest

from util.errors import missing_package


def need(module: str) -> Any:
    """`module`; where it is not installed, who calls this is skipped, and the reason names the extra that brings it."""
    return pytest.importorskip(module, reason=missing_package(module))
