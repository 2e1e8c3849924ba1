"""The command line: one file per noun, each loaded when its command is used. `main` is the entry point."""

from lineal.cli.app import main

__all__ = ["main"]
