"""`python -m report`."""

import sys

from report.cli.main import main

sys.exit(main())
