"""Whole runs over the memory twins: lanes against replay, under batches, partitions, crashes, zombies."""
