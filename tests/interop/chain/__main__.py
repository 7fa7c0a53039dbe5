"""Run the plugin on a folder: `python -m tests.interop.chain FOLDER`."""

from __future__ import annotations

import sys
from pathlib import Path

from .folder import Chain
from .plugin import serve

serve(Chain(Path(sys.argv[1])), sys.stdin.buffer, sys.stdout.buffer)
