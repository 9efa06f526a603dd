"""Ways to the subscriber, one file each."""
