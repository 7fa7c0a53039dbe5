"""`python -m lnstandin`: the program `lnstandin`."""

import sys

from lnstandin.cli import main

if __name__ == "__main__":
    sys.exit(main())
