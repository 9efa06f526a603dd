"""The crash matrix of a deployment on real servers (`./run faults`), and the checker that judges a run."""
