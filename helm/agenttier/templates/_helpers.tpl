{{/* Labels of one component. Call with (dict "root" $ "component" "router"). */}}
{{- define "agenttier.selector" -}}
app.kubernetes.io/name: agenttier
app.kubernetes.io/component: {{ .component }}
{{- end }}

{{- define "agenttier.labels" -}}
{{ include "agenttier.selector" . }}
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .root.Chart.Name .root.Chart.Version }}
{{- end }}

{{/* Full image reference. Call with (dict "root" $ "repository" "router"). */}}
{{- define "agenttier.image" -}}
{{ .root.Values.image.registry }}/{{ .repository }}:{{ .root.Values.image.tag | default .root.Chart.AppVersion }}
{{- end }}

{{/* Pod-level settings that every component shares: Pod Security "restricted", spread over nodes. */}}
{{- define "agenttier.podSpec" -}}
{{- $values := index .root.Values .component }}
{{- with .root.Values.imagePullSecrets }}
imagePullSecrets: {{ toYaml . | nindent 2 }}
{{- end }}
serviceAccountName: agenttier-{{ .component }}
enableServiceLinks: false
terminationGracePeriodSeconds: 40
securityContext:
  runAsNonRoot: true
  runAsUser: 65532
  runAsGroup: 65532
  fsGroup: 65532
  seccompProfile: { type: RuntimeDefault }
topologySpreadConstraints:
  - maxSkew: 1
    topologyKey: kubernetes.io/hostname
    whenUnsatisfiable: ScheduleAnyway
    labelSelector:
      matchLabels: {{ include "agenttier.selector" . | nindent 8 }}
{{- with $values.nodeSelector }}
nodeSelector: {{ toYaml . | nindent 2 }}
{{- end }}
{{- with $values.tolerations }}
tolerations: {{ toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{- define "agenttier.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities: { drop: [ALL] }
{{- end }}

{{/* Environment that every component reads. */}}
{{- define "agenttier.env" -}}
- name: POD_NAME
  valueFrom: { fieldRef: { fieldPath: metadata.name } }
- name: POD_NAMESPACE
  valueFrom: { fieldRef: { fieldPath: metadata.namespace } }
- name: LOG_LEVEL
  value: {{ (index .root.Values .component).logLevel | quote }}
{{- with .root.Values.tracing.endpoint }}
- name: OTEL_EXPORTER_OTLP_ENDPOINT
  value: {{ . | quote }}
- name: OTEL_TRACES_SAMPLER
  value: parentbased_traceidratio
- name: OTEL_TRACES_SAMPLER_ARG
  value: {{ $.root.Values.tracing.ratio | quote }}
{{- end }}
{{- end }}

{{/* What a Sandbox gets by default: the webhook merges it. */}}
{{- define "agenttier.defaultsEnv" -}}
- name: DEFAULT_CPU_REQUEST
  value: {{ .Values.defaults.cpuRequest | quote }}
- name: DEFAULT_MEMORY_REQUEST
  value: {{ .Values.defaults.memoryRequest | quote }}
- name: DEFAULT_CPU_LIMIT
  value: {{ .Values.defaults.cpuLimit | quote }}
- name: DEFAULT_MEMORY_LIMIT
  value: {{ .Values.defaults.memoryLimit | quote }}
- name: DEFAULT_STORAGE_SIZE
  value: {{ .Values.defaults.storageSize | quote }}
- name: DEFAULT_NETWORK
  value: {{ .Values.defaults.network | quote }}
{{- with .Values.optional.agentMemorySidecar }}
{{- if .enabled }}
- name: MEMORY_IMAGE
  value: {{ required "optional.agentMemorySidecar.image must name an image with its digest, name@sha256:..." .image | quote }}
{{- end }}
{{- end }}
{{- end }}

{{/* One replica at least stays through a voluntary disruption. */}}
{{- define "agenttier.disruptionBudget" -}}
{{- if gt (int (index .root.Values .component).replicas) 1 }}
---
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata:
  name: agenttier-{{ .component }}
  namespace: {{ .root.Release.Namespace }}
  labels: {{ include "agenttier.labels" . | nindent 4 }}
spec:
  minAvailable: 1
  selector:
    matchLabels: {{ include "agenttier.selector" . | nindent 6 }}
{{- end }}
{{- end }}
