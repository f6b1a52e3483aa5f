{{- define "deckhand.labels" -}}
app.kubernetes.io/name: deckhand
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ .Chart.Name }}-{{ .Chart.Version }}
{{- end }}

{{- define "deckhand.selector" -}}
app.kubernetes.io/name: deckhand
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .component }}
{{- end }}

{{- define "deckhand.secret" -}}
{{- if .Values.existingSecret }}{{ .Values.existingSecret }}{{ else }}{{ .Release.Name }}-deckhand{{ end }}
{{- end }}

{{- define "deckhand.shared" -}}
{{- if .Values.shared.existingClaim }}{{ .Values.shared.existingClaim }}{{ else }}{{ .Release.Name }}-shared{{ end }}
{{- end }}

{{/* Of every pod of Deckhand. Service links would bring variables that begin with DECKHAND_. */}}
{{- define "deckhand.pod" -}}
automountServiceAccountToken: false
enableServiceLinks: false
{{- with .Values.imagePullSecrets }}
imagePullSecrets: {{ toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{- define "deckhand.podSecurity" -}}
runAsUser: 10000
runAsGroup: 10000
fsGroup: 10000
fsGroupChangePolicy: OnRootMismatch
seccompProfile: { type: RuntimeDefault }
{{- end }}

{{- define "deckhand.security" -}}
runAsNonRoot: true
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities: { drop: [ALL] }
{{- end }}

{{- define "deckhand.variables" -}}
- { name: HOST, value: "0.0.0.0" }
- { name: METRICS_PORT, value: "9464" }
{{- range $name, $value := .Values.env }}
- { name: {{ $name }}, value: {{ $value | quote }} }
{{- end }}
{{- if .Values.postgresql.enabled }}
- name: POSTGRES_PASSWORD
  valueFrom: { secretKeyRef: { name: {{ include "deckhand.secret" . }}, key: POSTGRES_PASSWORD } }
- { name: DATABASE_URL, value: "postgresql://deckhand:$(POSTGRES_PASSWORD)@{{ .Release.Name }}-postgresql:5432/deckhand" }
{{- end }}
{{- if .Values.redis.enabled }}
- { name: REDIS_URL, value: "redis://{{ .Release.Name }}-redis:6379" }
{{- end }}
{{- end }}

{{/* A Secret that changes makes new pods, because variables are read at the start. Of one that is named, that is the business of whoever changes it. */}}
{{- define "deckhand.annotations" -}}
{{- if not .Values.existingSecret }}
annotations: { checksum/secret: {{ toJson .Values.secretEnv | sha256sum }} }
{{- end }}
{{- end }}

{{/* Liveness asks the process alone, readiness the database and the queue too; a runner also whether it is registered. */}}
{{- define "deckhand.probes" -}}
startupProbe:
  httpGet: { path: /healthz, port: metrics }
  periodSeconds: 2
  failureThreshold: 90
livenessProbe:
  httpGet: { path: /healthz, port: metrics }
  periodSeconds: 20
  timeoutSeconds: 5
  failureThreshold: 3
readinessProbe:
  httpGet: { path: /readyz, port: metrics }
  periodSeconds: 5
  timeoutSeconds: 5
  failureThreshold: 2
{{- end }}
