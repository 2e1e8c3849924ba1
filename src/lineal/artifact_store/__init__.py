"""Bytes: sealed, content-addressed objects."""
