"""One module for each load balancer that the lab can run; simulate/announcers is what they are held against.

start    Lab, node → the announcing daemon runs on the node
sync     Lab, node → its configuration follows the scenario and the knobs (as the product's controller would do)
stop     Lab, node → the daemon ends
settled  Lab → whether what should be announced is there for the router (or the segment)
"""
