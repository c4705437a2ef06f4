FROM python:3.11-slim AS build
WORKDIR /src
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_ROOT_USER_ACTION=ignore
COPY requirements.lock requirements-build.lock ./
RUN python -m venv --without-pip /opt/vendgraph \
    && python -m pip --python /opt/vendgraph/bin/python install --require-hashes -r requirements.lock \
    && python -m pip install --require-hashes -r requirements-build.lock
COPY pyproject.toml README.md LICENSE ./
COPY domain domain
COPY compiled compiled
COPY connectors connectors
COPY journal journal
COPY resolvers resolvers
COPY schema schema
COPY gateway gateway
COPY sandbox sandbox
RUN python -m pip wheel --no-deps --no-build-isolation --wheel-dir dist . \
    && python -m pip --python /opt/vendgraph/bin/python install --no-deps dist/*.whl

FROM python:3.11-slim
RUN useradd --system --uid 10001 --no-create-home vendgraph \
    && install --directory --owner vendgraph /var/lib/vendgraph
COPY --from=build /opt/vendgraph /opt/vendgraph
# Threads that read the store would else each keep some 20 MB of the allocator's.
ENV PATH=/opt/vendgraph/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 MALLOC_ARENA_MAX=2
USER 10001
WORKDIR /var/lib/vendgraph
EXPOSE 8000
# The gateway has to listen on port 8000 of every address: see docs/operating.md.
HEALTHCHECK --interval=10s --timeout=4s --start-period=20s --retries=3 \
    CMD ["python", "-c", "from http.client import HTTPConnection as C; c = C('127.0.0.1', 8000, timeout=3); \
c.request('GET', '/healthz'); raise SystemExit(c.getresponse().status != 200)"]
CMD ["vendgraph", "serve", "--config", "/etc/vendgraph/vendgraph.toml"]
