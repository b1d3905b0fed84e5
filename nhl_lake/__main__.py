"""`python -m nhl_lake`."""

from nhl_lake.cli.app import main

main()
