"""A design file and a table of answers, as a statistician may hand them to ``sipas estimate``."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from oracle import FACTORS, data

from analysis.file.command import BadInput, run

SMALL = "w,h,v,N,x,y\n1,a,1,9,4,5\n2,a,2,9,2,\n1.5,b,3,7,5,1\n3,b,4,7,3,4\n"
PLAN = {"weight": "w", "stratum": "h", "psu": "v", "fpc": "N"}
ORACLE = {"weight": "w", "stratum": "stratum", "psu": "psu", "fpc": "fpc", "beta_cap": False}


def design(
    folder: Path,
    plan: Mapping[str, Any],
    factors: Mapping[str, Sequence[str]] = FACTORS,
    tail: str = "",
) -> Path:
    """Write DESIGN.toml: keys, factors, then whole sections as text."""
    lines = [f"{key} = {json.dumps(value)}" for key, value in plan.items()]
    lines += ["[factors]", *(f"{k} = {json.dumps(v)}" for k, v in factors.items())]
    path = folder / "design.toml"
    path.write_text("\n".join(lines) + "\n" + tail, encoding="utf-8")
    return path


def write(
    folder: Path,
    plan: Mapping[str, Any] = PLAN,
    text: str | bytes = SMALL,
    factors: Mapping[str, Sequence[str]] | None = None,
    tail: str = "",
    name: str = "data.csv",
) -> tuple[Path, Path]:
    """Write DESIGN.toml and DATA.csv."""
    table = folder / name
    table.write_bytes(text.encode() if isinstance(text, str) else text)
    return design(folder, plan, factors or {"F": ["x", "y"]}, tail), table


def of_case(folder: Path, name: str, tail: str = "", **plan: Any) -> dict[str, Any]:
    """The command on a case of the oracle; ``plan`` changes keys, None leaves one out."""
    keys = {key: value for key, value in (ORACLE | plan).items() if value is not None}
    return run(design(folder, keys, tail=tail), data(name))


def faults(*paths: Path) -> list[str]:
    """What the command says of files it refuses."""
    with pytest.raises(BadInput) as caught:
        run(*paths)
    return caught.value.faults


def by_name(out: Mapping[str, Any], domain: Mapping[str, str] | None = None) -> dict[str, Any]:
    """The estimates of one domain by the names of their figures."""
    return {row["name"]: row for row in out["estimates"] if row["domain"] == domain}
