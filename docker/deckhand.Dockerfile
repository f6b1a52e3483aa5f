# Image of Deckhand itself, for `deckhand start`, `gateway` and `runner`. Built in the root of the repository:
#
#   docker build --file docker/deckhand.Dockerfile --tag deckhand:1 .
#
# BASE_IMAGE            Debian 12 or newer, or Ubuntu 24.04 or newer, with Node 24. Where no registry answers: docker/make-base.sh makes one
# NPM_CONFIG_REGISTRY   where npm gets packages; unset: where it usually does. Stays in the stage that is thrown away
#
# Certificate authorities of your network go as *.crt into docker/extra-ca/. docs/install.md says how to run it. Only what every builder knows.
ARG BASE_IMAGE=node:24-bookworm-slim

FROM ${BASE_IMAGE} AS packages
USER 0:0
COPY docker/extra-ca/ /usr/local/share/ca-certificates/
RUN apt-get update \
 && apt-get install --yes --no-install-recommends ca-certificates \
 && update-ca-certificates
WORKDIR /opt/deckhand
COPY package.json package-lock.json .npmrc ./
COPY prisma/ prisma/
ARG NPM_CONFIG_REGISTRY
ENV NODE_EXTRA_CA_CERTS=/etc/ssl/certs/ca-certificates.crt
RUN npm ci --omit=dev
# Without what only making the database client needs (the command line of Prisma, 400 MB with its own packages), and without the Node that the
# base has already. npm keeps what somebody might like to have beside him, so the client forgets that it does.
RUN npm pkg delete dependencies.prisma dependencies.node devDependencies scripts.postinstall \
 && (cd node_modules/@prisma/client && npm pkg delete peerDependencies peerDependenciesMeta) \
 && rm package-lock.json node_modules/.package-lock.json \
 && npm prune --ignore-scripts --offline --no-package-lock

FROM ${BASE_IMAGE}
USER 0:0
COPY docker/extra-ca/ /usr/local/share/ca-certificates/
# git and ssh fetch and push; tini is the first process, which takes leave of processes that nobody waits for any more.
RUN apt-get update \
 && apt-get install --yes --no-install-recommends ca-certificates git openssh-client tini \
 && update-ca-certificates \
 && apt-get clean \
 && rm -rf /var/lib/apt/lists/* /var/log/* /usr/local/lib/node_modules/npm /usr/local/bin/npm /usr/local/bin/npx \
 && groupadd --gid 10000 deckhand \
 && useradd --uid 10000 --gid 10000 --no-log-init --create-home --home-dir /home/deckhand --shell /usr/sbin/nologin deckhand \
 && install --directory --owner=10000 --group=10000 --mode=700 /var/lib/deckhand

WORKDIR /opt/deckhand
COPY --from=packages /opt/deckhand/ ./
COPY LICENSE ./
COPY docker/health.mjs docker/compile.mjs docker/
COPY adapters/ adapters/
COPY lab/ lab/
COPY runner/ runner/
COPY src/ src/
# Reads every file of the program once: that nothing is missing shows here, and what was compiled is kept for all starts. Node keeps it for
# the user who compiled it, so that is Deckhand's; then it is root's, so that Deckhand cannot change its own program.
RUN install --directory --owner=10000 node_modules/.cache/deckhand \
 && setpriv --reuid=10000 --regid=10000 --clear-groups node docker/compile.mjs \
 && chown --recursive 0:0 node_modules/.cache \
 && chmod --recursive u=rwX,go=rX node_modules/.cache \
 && printf '#!/bin/sh\nexec node /opt/deckhand/src/main.js "$@"\n' >/usr/local/bin/deckhand \
 && chmod 755 /usr/local/bin/deckhand

ENV NODE_ENV=production NODE_EXTRA_CA_CERTS=/etc/ssl/certs/ca-certificates.crt DECKHAND_DATA_DIR=/var/lib/deckhand
USER 10000:10000
EXPOSE 3000
# Longer than the first start with the making of the database takes.
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s --retries=3 CMD ["node", "docker/health.mjs"]
# A graceful end takes up to 25 s; what stops containers should wait 30.
STOPSIGNAL SIGTERM
ENTRYPOINT ["/usr/bin/tini", "--", "deckhand"]
CMD ["start"]
