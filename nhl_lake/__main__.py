"""`python -m nhl_lake`."""

from nhl_lake.cli import main

main()
