"""What this network does: announcements, routes, and the packet's walk there and back, in any world."""
