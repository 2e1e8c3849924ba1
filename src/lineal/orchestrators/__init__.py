"""Where steps run: each orchestrator gives the engine a `concurrent.futures.Executor`."""
