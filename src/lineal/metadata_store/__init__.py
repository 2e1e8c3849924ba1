"""Facts: which object is version 7 of `model`, who made it, who used it."""
