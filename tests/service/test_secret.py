"""hsm_secret: every form is read, it is created once and completely, and it is never printed."""

from __future__ import annotations

import logging
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from mnemonic import Mnemonic

from lnoffers.service import Node, Options
from lnoffers.service.entropy import Entropy, InjectedEntropy
from lnoffers.service.errors import SecretError, ServiceError
from lnoffers.service.files import create_private_file, make_private_directory
from lnoffers.service.secret import load_keys
from tests.service.program import SECONDS, Program, write_secret

ENTROPY = bytes(range(16))


def test_a_missing_secret_is_made_of_twelve_words(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / "hsm_secret"
    with caplog.at_level(logging.WARNING):
        keys = load_keys(path, InjectedEntropy(ENTROPY))
    words = Mnemonic("english").to_mnemonic(ENTROPY)
    assert path.read_bytes() == bytes(32) + words.encode()
    assert path.stat().st_mode & 0o777 == 0o400
    assert str(path) in caplog.text
    assert words not in caplog.text
    assert load_keys(path, None).node_id == keys.node_id


def test_making_a_secret_leaves_no_other_file(tmp_path: Path) -> None:
    load_keys(tmp_path / "hsm_secret", Entropy())
    assert [path.name for path in tmp_path.iterdir()] == ["hsm_secret"]


def test_two_that_make_a_secret_at_once_get_the_same(tmp_path: Path) -> None:
    path, found, start = tmp_path / "hsm_secret", [], threading.Barrier(8)

    def load() -> None:
        start.wait()
        found.append(load_keys(path, Entropy()).node_id)

    threads = [threading.Thread(target=load) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 8
    assert len(set(found)) == 1


def test_a_file_that_exists_is_never_replaced(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"first")
    assert create_private_file(path, b"second") is False
    assert path.read_bytes() == b"first"
    assert list(tmp_path.iterdir()) == [path]


def test_makes_nothing_without_enough_entropy(tmp_path: Path) -> None:
    with pytest.raises(SecretError, match="entropy has run out"):
        load_keys(tmp_path / "hsm_secret", InjectedEntropy(bytes(15)))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("content", "message"),
    [(b"", "has 0 bytes"), (b"x" * 31, "has 31 bytes"), (b"x" * 73, "hsmtool decrypt"), (b"x" * 99, "mnemonic")],
)
def test_refuses_a_secret_of_the_wrong_form(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "hsm_secret"
    write_secret(path, content)
    with pytest.raises(SecretError, match=message) as caught:
        load_keys(path, Entropy())
    assert str(tmp_path) in str(caught.value)
    assert path.read_bytes() == content


LOAD_AS_ANYBODY = """
import os, sys
from pathlib import Path
from lnoffers.bolt12.keys import new_hsm_secret
from lnoffers.service.entropy import Entropy
from lnoffers.service.errors import SecretError
from lnoffers.service.secret import load_keys

new_hsm_secret(bytes(16))  # loads what it needs
if os.geteuid() == 0:  # root may read and write everything
    os.setgroups([])
    os.setgid(65534)
    os.setuid(65534)
try:
    load_keys(Path(sys.argv[1]), Entropy())
except SecretError as error:
    print(error)
"""


def load_as_anybody(path: Path) -> str:
    """Return the output of a process without root's rights."""
    command = [sys.executable, "-c", LOAD_AS_ANYBODY, str(path)]
    return subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, check=True).stdout


def test_refuses_what_it_has_no_permission_for(program: Program) -> None:
    path = program.directory / "hsm_secret"
    path.write_bytes(bytes(range(32)))
    path.chmod(0)
    program.directory.chmod(0o555)
    assert load_as_anybody(path) == f"{path}: Permission denied\n"
    program.directory.chmod(0o755)
    path.unlink()
    program.directory.chmod(0o555)
    assert load_as_anybody(path) == f"{path}: Permission denied\n"
    program.directory.chmod(0o755)


def test_does_not_make_a_secret_beside_a_store_that_lost_its_own(tmp_path: Path) -> None:
    options = Options(lightning_dir=tmp_path, network="regtest")
    Node.open(options, make=True).close()
    options.secret_file.unlink()
    with pytest.raises(SecretError, match="restore the file"):
        Node.open(options, make=True)
    assert not options.secret_file.exists()


def test_directories_are_for_their_owner_alone(tmp_path: Path) -> None:
    make_private_directory(tmp_path / "a" / "b")
    assert [path.stat().st_mode & 0o777 for path in (tmp_path / "a", tmp_path / "a" / "b")] == [0o700, 0o700]


def test_a_directory_below_a_file_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ServiceError, match="cannot make the directory"):
        make_private_directory(tmp_path / "file" / "below")


def test_nothing_shows_injected_entropy() -> None:
    assert "deadbeef" not in repr(InjectedEntropy(bytes.fromhex("deadbeef")))
    assert "dead" not in repr(Options(network="regtest", dev_entropy=b"dead", db="sqlite:///dead"))
