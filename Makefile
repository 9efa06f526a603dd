# Alias of ./run, which needs no make: `make` = ./run, `make test` = ./run test.
.PHONY: run test lint bench mutants
run:
	@./run
test lint bench mutants:
	@./run $@
