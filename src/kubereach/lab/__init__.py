"""The system that kubereach reasons about, in miniature: hosts in network namespaces, real daemons, a real kernel."""
