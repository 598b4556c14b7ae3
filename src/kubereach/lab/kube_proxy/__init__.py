"""kube-proxy's rules on a node, one module a mode, written as the real program of that version writes them.

sync     Lab, node → the node's rules follow the scenario's services and endpoints
clear    Lab, node → none of kube-proxy's rules are left

The modes are `iptables`, `nftables` and `ipvs`, and `real` is the program itself; the other modules are parts of them.
"""
