"""`lnoffers man`: the pages of the service's commands, wherever the package was installed from."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from lnoffers.service.cli.man import pages_dir, plain_text
from tests.service.program import COMMAND, Program, run

PAGES = sorted(pages_dir().glob("*.7"))


def test_there_is_a_page_for_each_command_of_the_service(program: Program) -> None:
    commands = program.call("help").json["help"]
    names = {entry["command"].partition(" ")[0] for entry in commands}
    assert names <= set(run("man").out.split())


def test_path_prints_the_folder_and_a_page() -> None:
    assert run("man", "--path").out == f"{pages_dir()}\n"
    page = Path(run("man", "--path", "offer").out.strip())
    assert page.read_text().startswith('.TH "LIGHTNING\\-OFFER" "7"')
    assert run("man", "lightning-offer", "--path").out.strip() == str(page)


@pytest.mark.parametrize("name", ["nothing", "../man/lightning-offer", "", "offer.7"])
def test_a_name_without_a_page_is_refused(name: str) -> None:
    done = run("man", name)
    assert (done.code, done.out) == (2, "")
    assert done.err == f"lnoffers: there is no manual page for {name!r}; `lnoffers man` lists those that exist\n"


@pytest.mark.skipif(shutil.which("man") is None, reason="needs man")
def test_the_program_man_shows_the_page() -> None:
    shown = run("man", "offer")
    assert shown.code == 0
    assert "LIGHTNING-OFFER(7)" in shown.out


def test_without_man_the_pager_shows_plain_text(tmp_path: Path) -> None:
    pager = tmp_path / "pager"
    pager.write_text('#!/bin/sh\nread -r first\necho "<$first>"\n')
    pager.chmod(0o755)
    lone = {"PATH": str(tmp_path), "PAGER": str(pager), "TERM": "xterm"}
    master, terminal = os.openpty()
    done = subprocess.run([*COMMAND, "man", "stop"], env=lone, stdin=terminal, stdout=terminal, check=False)
    os.close(terminal)
    assert done.returncode == 0
    assert os.read(master, 1000) == b"<NAME>\r\n"
    os.close(master)


def test_without_man_a_pipe_gets_plain_text() -> None:
    done = subprocess.run([*COMMAND, "man", "stop"], env={"PATH": ""}, capture_output=True, text=True, check=True)
    assert done.stdout.startswith("NAME\n       lightning-stop - ")


@pytest.mark.skipif(shutil.which("mandoc") is None, reason="needs mandoc")
@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_plain_text_says_what_mandoc_prints(page: Path) -> None:
    printed = subprocess.run(
        ["mandoc", "-Tascii", "-Owidth=200", page], capture_output=True, text=True, check=True
    ).stdout
    _, *lines, _ = re.sub(".\b", "", printed).strip("\n").splitlines()  # between the title line and the last one
    ours = plain_text(page.read_text()).replace("\n", " ").replace(" * ", " o ")
    assert ours.split() == " ".join(lines).split()
