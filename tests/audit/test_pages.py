"""Names count under the name that they stand below, and nowhere else."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.audit.pages import man, markdown


@pytest.mark.skipif(shutil.which("mandoc") is None, reason="mandoc is not installed")
def test_entries_of_a_man_page_have_their_parents(tmp_path: Path) -> None:
    page = tmp_path / "a.7"
    page.write_text(
        r"""
.TH "A" "7" "2026-01-01"
.SH "PARAMETERS"
.TP 4
\fBa\fR (array of objects)
An \fIa\fR, as in \fBc\fR (see there).
.RS 4
.TP 4
\fB# b\fR (u8)
.RE
.PP
If \fBa\fR is there:
.RS 4
.TP 4
\fBc\fR (u8)
.RE
.SH "RETURN VALUE"
.TP 4
\fBa\fR
""".lstrip(),
        encoding="ascii",
    )
    assert man(page) == {
        "Parameters": {("a",): 1, ("a", "# b"): 1, ("c",): 1},
        "Return value": {("a",): 1},
    }


def test_entries_of_a_page_in_markdown_have_their_parents(tmp_path: Path) -> None:
    page = tmp_path / "a.md"
    page.write_text(
        """
# A

## Parameters

- `a` (array of objects): An *a*.

  - `c`: what a description lists.
  - `# b` (u8)
- If `a` is there:
  - `c` (u8)

## Return value

- `a`
""",
        encoding="utf-8",
    )
    assert markdown(page) == {
        "Parameters": {("a",): 1, ("a", "# b"): 1, ("c",): 1},
        "Return value": {("a",): 1},
    }
