"""What the readers of Kubernetes output share: kinds, field names, paths, command lines, YAML with line numbers."""
