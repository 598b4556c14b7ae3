"""Pure frozen types: what a network is, what was seen of it, and what a diagnosis says."""
