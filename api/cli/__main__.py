"""Lets `python -m watersmeet.api.cli` stand for `watersmeet`."""

from . import main

main()
