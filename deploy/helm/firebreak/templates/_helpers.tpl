{{- define "firebreak.name" -}}{{ .Release.Name | trunc 50 | trimSuffix "-" }}{{- end }}
{{- define "firebreak.selector" -}}
app.kubernetes.io/name: firebreak
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}
{{- define "firebreak.labels" -}}
{{ include "firebreak.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/component: analyzer
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
{{- end }}
{{- define "firebreak.group" -}}{{ .Values.kafka.groupId | default (printf "%sanalyzer" .Values.kafka.topicPrefix) }}{{- end }}
