"""`python -m tutorial_lib` is the command `textual-inversion`."""

import sys

from tutorial_lib.cli import main

if __name__ == "__main__":
    sys.exit(main())
