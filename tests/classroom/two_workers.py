"""Waits until a scheduler has two workers, then runs a command: `two_workers ADDRESS ARGUMENTS...`."""

import sys

from distributed import Client

from report.cli import main as cli

if __name__ == "__main__":
    with Client(sys.argv[1], set_as_default=False) as client:
        client.wait_for_workers(2, timeout=60)
    sys.exit(cli.main(sys.argv[2:]))
