"""Contract suites that anyone's store or materializer can inherit."""
