"""One test body per port, for the memory twin and every real adapter."""
