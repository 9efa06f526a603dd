# The program in a container: no compiler, no package installer's cache, not root, and it writes only where told.
#
#   docker build -t touchpoint:0.1.0 .
#   docker build --build-arg CORE=plain -t touchpoint:0.1.0 .     without the compiled core
#
# CORE: `compiled` (default) runs the engine's core as machine code (docs/decisions/0010-a-compiled-core.md);
# `plain` runs the same sources interpreted.
ARG PYTHON=3.11-slim-bookworm
ARG CORE=compiled

# -- packages, every hash checked ----------------------------------------------------------------------------------
FROM python:${PYTHON} AS packages
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PIP_NO_INPUT=1
# A compiler for the core, and for faust-streaming where it has no wheel (ARM).
RUN apt-get update \
    && apt-get install -y --no-install-recommends gcc libc6-dev \
    && rm -rf /var/lib/apt/lists/*
COPY requirements.lock /locks/
RUN python -m venv /opt/venv \
    && /opt/venv/bin/pip install --no-deps --require-hashes -r /locks/requirements.lock \
    && /opt/venv/bin/pip uninstall --yes pip

# -- the core: compiled, or nothing --------------------------------------------------------------------------------
FROM packages AS core-plain
RUN mkdir /opt/core

FROM packages AS core-compiled
COPY requirements-dev.lock /locks/
RUN python -m venv /opt/dev \
    && /opt/dev/bin/pip install --no-deps --require-hashes -r /locks/requirements-dev.lock
# Where the program will stand: the compiled folder has a link to the rules there.
WORKDIR /app
COPY engine engine
COPY connectors connectors
COPY rules rules
COPY tools tools
RUN /opt/dev/bin/python -m tools.compile_core /opt/core

FROM core-${CORE} AS core

# -- what runs -----------------------------------------------------------------------------------------------------
FROM python:${PYTHON}
RUN groupadd --gid 10001 touchpoint \
    && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin touchpoint \
    && install -d -o 10001 -g 10001 /var/lib/touchpoint /var/lib/touchpoint/landing \
        /var/lib/touchpoint/memory /var/lib/touchpoint/out
COPY --from=packages /opt/venv /opt/venv
COPY --from=core /opt/core /opt/core
WORKDIR /app
COPY engine engine
COPY connectors connectors
COPY rules rules
COPY LICENSE LICENSE
COPY deploy/touchpoint deploy/touchpoint-probe /usr/local/bin/
# Compiled to bytecode here: the root file system is read-only later.
RUN /opt/venv/bin/python -m compileall -q /app /opt/core
ENV PATH=/opt/venv/bin:/usr/local/bin:/usr/bin:/bin \
    PYTHONPATH=/opt/core:/app \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1
USER 10001:10001
WORKDIR /var/lib/touchpoint
EXPOSE 9464
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s --retries=3 CMD ["touchpoint-probe", "livez"]
ENTRYPOINT ["touchpoint"]
CMD ["run", "all"]
