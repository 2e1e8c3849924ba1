"""What a pipeline is, before anything runs: signatures, steps, plans. Pure: no I/O, no engine."""
