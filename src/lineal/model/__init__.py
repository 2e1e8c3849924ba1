"""Facts without I/O: records, digests, names, states and typed values."""
