"""Makes ``python -m twin.cli`` the same as ``twin``."""

from twin.cli import main

main()
