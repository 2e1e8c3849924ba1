"""What code a function depends on: files read into units, live objects followed to them, values reduced to digests."""
