"""How values become files or bytes and come back: the two shapes, the registry, and one file per library."""
