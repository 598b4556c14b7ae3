"""One module a fault; the shape is described in lab.enactment."""
