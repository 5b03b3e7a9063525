{{- define "wukong-serving.name" -}}
{{- if contains .Chart.Name .Release.Name -}}
{{- .Release.Name | trunc 52 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name .Chart.Name | trunc 52 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{- define "wukong-serving.selector" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/component: serving
{{- end -}}

{{- define "wukong-serving.labels" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- end -}}

{{- define "wukong-serving.serviceAccount" -}}
{{- if .Values.serviceAccount.create -}}
{{- default (include "wukong-serving.name" .) .Values.serviceAccount.name -}}
{{- else -}}
{{- default "default" .Values.serviceAccount.name -}}
{{- end -}}
{{- end -}}

{{- define "wukong-serving.image" -}}
{{- if .Values.image.digest -}}
{{- printf "%s@%s" .Values.image.repository .Values.image.digest -}}
{{- else -}}
{{- printf "%s:%s" .Values.image.repository (default .Chart.AppVersion .Values.image.tag) -}}
{{- end -}}
{{- end -}}

{{- define "wukong-serving.cuda" -}}
{{- if hasPrefix "cuda:" .Values.device }}true{{ end -}}
{{- end -}}

{{- /* The service's application.yaml: the user's settings under the chart's own, which probes, ports and volumes rest on. */ -}}
{{- define "wukong-serving.application" -}}
{{- $own := dict
  "wukong" (dict
    "bundle-root" "/var/lib/wukong/bundles"
    "rows" (dict "store-dir" "/var/lib/wukong/store" "resident" .Values.residentRows)
    "engine" (dict "device" .Values.device))
  "server" (dict "port" 8080)
  "spring" (dict "grpc" (dict "server" (dict "port" 9090)))
  "management" (dict "endpoint" (dict "health" (dict "probes" (dict "enabled" true)))) -}}
{{- mergeOverwrite (deepCopy .Values.config) $own | toYaml -}}
{{- end -}}

{{- define "wukong-serving.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities:
  drop: [ALL]
{{- end -}}

{{- define "wukong-serving.podSecurity" -}}
runAsNonRoot: true
runAsUser: 10001
runAsGroup: 10001
fsGroup: 10001
fsGroupChangePolicy: OnRootMismatch
seccompProfile:
  type: RuntimeDefault
{{- end -}}
