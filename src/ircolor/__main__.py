"""Allow `python -m ircolor`."""

from ircolor.cli.main import main

main()
