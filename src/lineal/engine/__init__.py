"""How steps run: what code a call depends on, whether it must run, and what becomes of it."""
