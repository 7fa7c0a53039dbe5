"""`python -m rpcschema`."""

from rpcschema.cli import main

if __name__ == "__main__":
    main()
