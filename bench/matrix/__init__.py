"""The cases of `docs/caching.md` put to other systems: what each reuses, what it runs again, and where it gives an old result."""
