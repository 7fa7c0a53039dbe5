"""The meta-schemas of OpenRPC and OpenAPI accept the exports, and a TypeScript client that is made of them type-checks.

EXPORTS_NPM names the folder in which npm has installed package.json; the session `exports` does that.
"""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.exports.made import exported
from tests.project.guides import pieces
from tests.shared import ROOT, shared_path

HERE = Path(__file__).parent
GUIDE = "export-to-openapi-openrpc-json-schema"
UPSTREAM = [pytest.param(f"corpus/{release}/schemas", id=release) for release in ("v26.06", "master-2026-08")]


@pytest.fixture(scope="session")
def installed() -> Path:
    """Return the folder `node_modules`."""
    if "EXPORTS_NPM" not in os.environ:
        pytest.skip("EXPORTS_NPM names no folder with the packages of tests/exports/package.json")
    return Path(os.environ["EXPORTS_NPM"]) / "node_modules"


def judged(installed: Path, form: str, content: bytes, folder: Path) -> Any:
    """Return the errors that a meta-schema finds in a document."""
    file = folder / f"{form}.json"
    file.write_bytes(content)
    command = ["node", str(HERE / "judge.mjs"), form, str(file)]
    environment = os.environ | {"NODE_PATH": str(installed)}
    return json.loads(subprocess.run(command, env=environment, check=True, stdout=subprocess.PIPE).stdout)


@pytest.mark.parametrize("form", ["openrpc", "openapi"])
@pytest.mark.parametrize("place", ["", *UPSTREAM])
def test_the_meta_schema_accepts_the_document(installed: Path, tmp_path: Path, place: str, form: str) -> None:
    made = exported(shared_path(place) if place else ROOT / "schemas")
    assert judged(installed, form, made.files[f"{form}.json"], tmp_path) == []


@pytest.mark.parametrize(("form", "key"), [("openrpc", "methods"), ("openapi", "info")])
def test_the_meta_schema_refuses_a_broken_document(installed: Path, tmp_path: Path, form: str, key: str) -> None:
    document = exported(ROOT / "schemas").json(f"{form}.json")
    del document[key]
    assert judged(installed, form, json.dumps(document).encode(), tmp_path) != []


@pytest.fixture(scope="session")
def client(installed: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with the TypeScript that openapi-typescript makes of our documents."""
    folder = tmp_path_factory.mktemp("client")
    (folder / "node_modules").symlink_to(installed)
    (folder / "openapi.json").write_bytes(exported(ROOT / "schemas").files["openapi.json"])
    command = [str(installed / ".bin" / "openapi-typescript"), "openapi.json", "--output", "api.ts"]
    subprocess.run(command, cwd=folder, check=True, capture_output=True)
    return folder


def type_errors(client: Path, program: str) -> str:
    """Return what the compiler, in strict mode, says about a program that uses the client."""
    (client / "program.ts").write_text(program)
    options = ["--noEmit", "--strict", "--target", "es2022", "--module", "esnext"]
    options += ["--moduleResolution", "bundler", "--skipLibCheck"]
    command = [str(client / "node_modules" / ".bin" / "tsc"), *options, "program.ts"]
    return subprocess.run(command, cwd=client, check=False, capture_output=True, text=True).stdout


def guide() -> str:
    """Return the program of the guide, which runs under Node.js."""
    [program] = pieces(GUIDE, "ts")
    return f"declare const process: {{ env: Record<string, string | undefined> }};\n{program}"


def test_the_client_of_the_guide_type_checks(client: Path) -> None:
    assert type_errors(client, guide()) == ""


@pytest.mark.parametrize(
    ("right", "wrong", "message"),
    [
        ('"/v1/decode"', '"/v1/decod"', "/v1/decod"),
        ('string: "lno1..."', "string: 7", "Type 'number' is not assignable to type 'string'"),
        ('string: "lno1..."', 'text: "lno1..."', "'text' does not exist"),
        ("data.offer_id", "data.invoice_amount_msat", "invoice_amount_msat"),
        ("error.code", "error.codes", "'codes' does not exist"),
    ],
)
def test_the_compiler_finds_a_mistake(client: Path, right: str, wrong: str, message: str) -> None:
    assert guide().count(right) == 1
    assert message in type_errors(client, guide().replace(right, wrong))
