{{/* Only where what runs ends with the pod. */}}
{{- define "deckhand.drainSeconds" -}}
{{- if eq .Values.runner.engine "dind" }}{{ int .Values.runner.drainSeconds }}{{ else }}0{{ end }}
{{- end }}

{{/* The container of a runner. Takes root and directory. */}}
{{- define "deckhand.runner" -}}
{{- $values := .root.Values.runner }}
- name: runner
  image: {{ $values.image | default .root.Values.image }}
  imagePullPolicy: {{ .root.Values.imagePullPolicy }}
  args: [runner]
  envFrom:
    - secretRef: { name: {{ include "deckhand.secret" .root }} }
  env:
    {{- include "deckhand.variables" .root | nindent 4 }}
    - { name: DECKHAND_DATA_DIR, value: {{ .directory }} }
    # Where a check of doctor makes a directory that the engine must see.
    - { name: TMPDIR, value: {{ .directory }} }
    - { name: SANDBOX, value: docker }
    - { name: SANDBOX_IMAGE, value: {{ $values.sandboxImage }} }
    - { name: SANDBOX_AGENTS_IMAGE, value: {{ $values.agentsImage }} }
    - { name: RUNNER_CONCURRENCY, value: {{ $values.concurrency | quote }} }
    - { name: RUNNER_DRAIN_SECONDS, value: {{ include "deckhand.drainSeconds" .root | quote }} }
    {{- with $values.labels }}
    - { name: RUNNER_LABELS, value: {{ . | quote }} }
    {{- end }}
    {{- if eq $values.engine "dind" }}
    - { name: DOCKER_HOST, value: unix:///engine/docker.sock }
    {{- else if eq $values.engine "remote" }}
    - { name: DOCKER_HOST, value: {{ required "runner.dockerHost is needed with a remote engine" $values.dockerHost }} }
    {{- end }}
  ports:
    - { name: metrics, containerPort: 9464 }
  {{- include "deckhand.probes" .root | nindent 2 }}
  resources: {{ toYaml $values.resources | nindent 4 }}
  securityContext: {{ include "deckhand.security" .root | nindent 4 }}
  volumeMounts:
    - { name: data, mountPath: {{ .directory }} }
    - { name: shared, mountPath: {{ .directory }}/artifacts, subPath: artifacts }
    - { name: shared, mountPath: {{ .directory }}/mirrors, subPath: mirrors }
    - { name: tmp, mountPath: /tmp }
    {{- if ne $values.engine "remote" }}
    - { name: engine, mountPath: {{ if eq $values.engine "dind" }}/engine{{ else }}/var/run/docker.sock{{ end }} }
    {{- end }}
{{- end }}
