"""`python -m lnoffers`: the program `lnoffers`."""

from lnoffers.service.cli import main

if __name__ == "__main__":
    main()
