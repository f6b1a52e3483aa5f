# Image of the sandboxes in which agents work: that of the other sandboxes, with the programs of Claude Code and Codex.
# docker/build-image.sh brings the programs into `agents/` of the build context; docs/sandbox.md describes the result.
ARG SANDBOX_IMAGE=deckhand-sandbox:1
FROM ${SANDBOX_IMAGE}
USER 0:0

# Executable, but not readable (set by the script): the kernel keeps such a process private. Commands that an agent runs are of the
# same user; without this they could write into the agent's stdin what people decide.
COPY agents/ /opt/agents/
COPY managed-settings.json /etc/claude-code/managed-settings.json
RUN ln -s /opt/agents/claude/claude /opt/agents/codex/bin/codex /usr/local/bin/

# No telemetry, no updates, no reports: nothing of it could leave anyway, and each try takes time.
ENV DISABLE_AUTOUPDATER=1 DISABLE_TELEMETRY=1 DISABLE_ERROR_REPORTING=1 CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC=1

USER 10001:10001
ARG CLAUDE_VERSION
ARG CODEX_VERSION
RUN HOME=/tmp/check; export HOME; mkdir "$HOME" \
 && test "$(claude --version)" = "$CLAUDE_VERSION (Claude Code)" \
 && test "$(codex --version)" = "codex-cli $CODEX_VERSION" \
 && rm -rf "$HOME"

# The runner reads which programs there are from these.
LABEL deckhand.agents.claude=${CLAUDE_VERSION} deckhand.agents.codex=${CODEX_VERSION}
ARG INPUTS=unknown
LABEL deckhand.agents.inputs=${INPUTS}
