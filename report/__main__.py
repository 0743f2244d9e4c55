"""`python -m report`."""

import sys

from report.cli.main import run

sys.exit(run())
