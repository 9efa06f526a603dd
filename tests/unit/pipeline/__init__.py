"""The rooms of the pipeline, one file each; the names of the tests are sentences of semantics.md."""
