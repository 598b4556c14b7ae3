"""One module for each routing daemon that the lab's router can run.

start    Lab → the daemon runs, with a session for each node that should speak BGP
sync     Lab → its configuration follows the scenario and the knobs; other sessions stay up
stop     Lab → the daemon ends

Knobs for a node's session, `router/peer/NODE/` + `absent` (no such neighbour), `asn`, `password`, `shutdown`,
`multihop`, `address` (the neighbour's); for the whole: `router/import` (`none`, `aggregates-only`), `router/rfc8212`
(external sessions need a policy and have none), `router/static/PREFIX` (a static route's next hop), `router/bfd`,
`router/not-installed` (the daemon keeps BGP's routes out of the kernel).
"""
