"""One file per load-balancer implementation: who should announce an address, and why not.

Each defines `announce(world, service, address) -> Announced`. The module's name is the announcer's with underscores.
"""
