"""Facts to Network: join on identity, keep conflicts, infer only what must follow."""
