{{- define "wukong-serving.name" -}}
{{- if contains .Chart.Name .Release.Name -}}
{{- .Release.Name | trunc 52 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name .Chart.Name | trunc 52 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{- /* Of a StatefulSet and what belongs to it: the pods that serve, or the trainer of its own. A StatefulSet's name has 52 characters at most. */ -}}
{{- define "wukong-serving.workload" -}}
{{- if eq (default "serving" .role) "trainer" -}}
{{- printf "%s-trainer" (include "wukong-serving.name" . | trunc 44 | trimSuffix "-") -}}
{{- else -}}
{{- include "wukong-serving.name" . -}}
{{- end -}}
{{- end -}}

{{- define "wukong-serving.selector" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/component: {{ default "serving" .role }}
{{- end -}}

{{- define "wukong-serving.labels" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- end -}}

{{- /* A trainer of its own has an account of its own, so that pods which only serve may ask nothing of the cluster. */ -}}
{{- define "wukong-serving.serviceAccount" -}}
{{- if not .Values.serviceAccount.create -}}
{{- default "default" .Values.serviceAccount.name -}}
{{- else if eq (default "serving" .role) "trainer" -}}
{{- if .Values.serviceAccount.name }}{{ .Values.serviceAccount.name }}-trainer{{ else }}{{ include "wukong-serving.workload" . }}{{ end -}}
{{- else -}}
{{- default (include "wukong-serving.name" .) .Values.serviceAccount.name -}}
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

{{- /* Whether there is a StatefulSet for the trainer alone. */ -}}
{{- define "wukong-serving.separate" -}}
{{- if and .Values.cluster.enabled .Values.trainer.separate }}true{{ end -}}
{{- end -}}

{{- /* Whether pods of this role may come to train. */ -}}
{{- define "wukong-serving.elects" -}}
{{- if .Values.cluster.enabled -}}
{{- if or (not (include "wukong-serving.separate" .)) (eq (default "serving" .role) "trainer") }}true{{ end -}}
{{- end -}}
{{- end -}}

{{- /* Whether they ask Kubernetes whose turn it is. */ -}}
{{- define "wukong-serving.leases" -}}
{{- if and (include "wukong-serving.elects" .) (eq .Values.cluster.election "lease") }}true{{ end -}}
{{- end -}}

{{- /* Where copies of the store lie; empty: nowhere. */ -}}
{{- define "wukong-serving.checkpoints" -}}
{{- if .Values.cluster.enabled -}}
{{- if .Values.cluster.checkpoints.claimName -}}
/var/lib/wukong-shared/checkpoints
{{- else -}}
{{- .Values.cluster.checkpoints.location -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{- /* Of topics and groups: no other release has it, or what they learn would be mixed. 64 characters at most. */ -}}
{{- define "wukong-serving.kafkaPrefix" -}}
{{- $own := printf "%s.%s" .Release.Namespace (include "wukong-serving.name" .) -}}
{{- if .Values.cluster.kafka.prefix -}}
{{- .Values.cluster.kafka.prefix -}}
{{- else if gt (len $own) 64 -}}
{{- printf "%s.%s" ($own | trunc 55) (sha256sum $own | trunc 8) -}}
{{- else -}}
{{- $own -}}
{{- end -}}
{{- end -}}

{{- /* Of keys in Redis, likewise. 32 characters at most. */ -}}
{{- define "wukong-serving.redisPrefix" -}}
{{- printf "%s-%s" (include "wukong-serving.name" . | trunc 20 | trimSuffix "-") (sha256sum (include "wukong-serving.kafkaPrefix" .) | trunc 8) -}}
{{- end -}}

{{- /* The model that learns; empty: none. */ -}}
{{- define "wukong-serving.learns" -}}
{{- $model := dig "wukong" "online" "model" "" .Values.config -}}
{{- range .Values.env -}}
{{- if eq .name "WUKONG_ONLINE_MODEL" }}{{ $model = default "from the environment" .value }}{{ end -}}
{{- end -}}
{{- $model -}}
{{- end -}}

{{- /* Whether somebody has a role, so that whoever has none may nothing. */ -}}
{{- define "wukong-serving.roles" -}}
{{- if dig "wukong" "roles" "" .Values.config }}true{{ end -}}
{{- end -}}

{{- /* The fewest pods that serve. */ -}}
{{- define "wukong-serving.pods" -}}
{{- if .Values.autoscaling.enabled }}{{ .Values.autoscaling.minReplicas }}{{ else }}{{ .Values.replicas }}{{ end -}}
{{- end -}}

{{- /* The service's application.yaml: the user's settings under the chart's own, which probes, ports and volumes rest on. */ -}}
{{- define "wukong-serving.application" -}}
{{- $wukong := dict
  "bundle-root" "/var/lib/wukong/bundles"
  "rows" (dict "store-dir" "/var/lib/wukong/store" "resident" .Values.residentRows)
  "engine" (dict "device" .Values.device)
  "lame-duck" (printf "%ds" (int .Values.drain.lameDuckSeconds)) -}}
{{- $grpc := dict "port" 9090 "shutdown" (dict "grace-period" (printf "%ds" (int .Values.drain.callsSeconds))) -}}
{{- $spring := dict "lifecycle" (dict "timeout-per-shutdown-phase" (printf "%ds" (int (add .Values.drain.callsSeconds 10)))) -}}
{{- $server := dict "port" 8080 -}}
{{- $health := dict "probes" (dict "enabled" true) -}}
{{- if .Values.cluster.enabled -}}
{{- $kafka := dict
  "addresses" .Values.cluster.kafka.addresses
  "prefix" (include "wukong-serving.kafkaPrefix" .)
  "partitions" .Values.cluster.kafka.partitions
  "replication" .Values.cluster.kafka.replication -}}
{{- with .Values.cluster.kafka.properties }}{{ $kafka = set $kafka "properties" . }}{{ end -}}
{{- $cluster := dict "kafka" $kafka "election" (ternary .Values.cluster.election "never" (eq (include "wukong-serving.elects" .) "true")) -}}
{{- if include "wukong-serving.leases" . -}}
{{- $cluster = set $cluster "lease" (dict "name" (include "wukong-serving.lease" .) "namespace" .Release.Namespace) -}}
{{- end -}}
{{- $shared := include "wukong-serving.checkpoints" . -}}
{{- if $shared -}}
{{- $checkpoints := dict "location" $shared "every" .Values.cluster.checkpoints.every "keep" .Values.cluster.checkpoints.keep -}}
{{- with .Values.cluster.checkpoints.endpoint }}{{ $checkpoints = set $checkpoints "endpoint" . }}{{ end -}}
{{- $cluster = set $cluster "checkpoints" $checkpoints -}}
{{- end -}}
{{- with .Values.cluster.redis.addresses -}}
{{- $redis := dict "addresses" . -}}
{{- if not (dig "wukong" "rows" "redis" "prefix" "" $.Values.config) }}{{ $redis = set $redis "prefix" (include "wukong-serving.redisPrefix" $) }}{{ end -}}
{{- $rows := merge (dict "redis" $redis "store" (ternary "rocks" "redis" (eq (default "serving" $.role) "trainer"))) (get $wukong "rows") -}}
{{- $wukong = set $wukong "rows" $rows -}}
{{- if eq (default "serving" $.role) "trainer" }}{{ $cluster = set $cluster "mirror" true }}{{ end -}}
{{- end -}}
{{- $wukong = set $wukong "cluster" $cluster -}}
{{- end -}}
{{- if eq (default "serving" .role) "trainer" -}}
{{- /* Nobody is sent to this pod for answers, so it is ready while it learns. */ -}}
{{- $health = set $health "group" (dict "readiness" (dict
  "include" "readinessState,models,replica,online"
  "status" (dict
    "order" "down,out-of-service,not-logging,not-learning,up"
    "http-mapping" (dict "down" 503 "out-of-service" 503 "not-logging" 503 "not-learning" 503)))) -}}
{{- end -}}
{{- if .Values.tls.secretName -}}
{{- $pem := dict
  "reload-on-update" true
  "keystore" (dict "certificate" "/etc/wukong/tls/tls.crt" "private-key" "/etc/wukong/tls/tls.key") -}}
{{- if ne .Values.tls.clients "none" }}{{ $pem = set $pem "truststore" (dict "certificate" "/etc/wukong/tls/ca.crt") }}{{ end -}}
{{- $spring = set $spring "ssl" (dict "bundle" (dict "pem" (dict "wukong" $pem))) -}}
{{- if .Values.tls.grpc -}}
{{- $grpc = set $grpc "ssl" (dict "bundle" "wukong" "client-auth" (get (dict "none" "none" "optional" "optional" "required" "require") .Values.tls.clients)) -}}
{{- end -}}
{{- if .Values.tls.http }}{{ $server = set $server "ssl" (dict "bundle" "wukong") }}{{ end -}}
{{- end -}}
{{- $spring = set $spring "grpc" (dict "server" $grpc) -}}
{{- if .Values.admin.expose }}{{ $wukong = set $wukong "admin" (dict "port" 9091 "address" "0.0.0.0") }}{{ end -}}
{{- $own := dict
  "wukong" $wukong
  "server" $server
  "spring" $spring
  "management" (dict "endpoint" (dict "health" $health)) -}}
{{- mergeOverwrite (deepCopy .Values.config) $own | toYaml -}}
{{- end -}}

{{- define "wukong-serving.lease" -}}
{{- printf "%s-trainer" (include "wukong-serving.name" .) -}}
{{- end -}}

{{- /* What no schema can say of values: how one bears on another. */ -}}
{{- define "wukong-serving.check" -}}
{{- range $path, $value := dict
    "config.wukong.lame-duck (drain.lameDuckSeconds)" (dig "wukong" "lame-duck" "" .Values.config)
    "config.spring.grpc.server.shutdown.grace-period (drain.callsSeconds)" (dig "spring" "grpc" "server" "shutdown" "grace-period" "" .Values.config)
    "config.spring.lifecycle.timeout-per-shutdown-phase (drain.callsSeconds)" (dig "spring" "lifecycle" "timeout-per-shutdown-phase" "" .Values.config) -}}
{{- if $value }}{{ fail (printf "%v is set to '%v': set the value in parentheses instead, which terminationGracePeriodSeconds is compared with" $path $value) }}{{ end -}}
{{- end -}}
{{- $drain := add .Values.drain.lameDuckSeconds (mul 2 .Values.drain.callsSeconds) 10 -}}
{{- if le (int .Values.terminationGracePeriodSeconds) (int $drain) -}}
{{- fail (printf "terminationGracePeriodSeconds is %v: want more than %v, which the drain may take (drain.lameDuckSeconds %v, twice drain.callsSeconds %v, and 10)" .Values.terminationGracePeriodSeconds $drain .Values.drain.lameDuckSeconds .Values.drain.callsSeconds) -}}
{{- end -}}
{{- if .Values.cluster.enabled -}}
{{- if not .Values.cluster.kafka.addresses }}{{ fail "cluster.enabled is true, but cluster.kafka.addresses is empty: want one host:port or more" }}{{ end -}}
{{- if not (include "wukong-serving.learns" .) }}{{ fail "cluster.enabled is true, but config.wukong.online.model is not set: want the model that learns, for replicas share nothing else" }}{{ end -}}
{{- with .Values.cluster.checkpoints -}}
{{- if and .claimName .location }}{{ fail (printf "cluster.checkpoints.claimName is %s and cluster.checkpoints.location %s: want one of them" .claimName .location) }}{{ end -}}
{{- if and .endpoint (not .location) }}{{ fail (printf "cluster.checkpoints.endpoint is %s, but cluster.checkpoints.location is empty: want s3://BUCKET/PREFIX" .endpoint) }}{{ end -}}
{{- end -}}
{{- if and .Values.cluster.redis.addresses (not .Values.trainer.separate) }}{{ fail "cluster.redis.addresses is set, but trainer.separate is false: want trainer.separate, for pods that read rows from Redis never train" }}{{ end -}}
{{- else -}}
{{- if .Values.cluster.redis.addresses }}{{ fail "cluster.redis.addresses is set, but cluster.enabled is false: want cluster.enabled" }}{{ end -}}
{{- if or .Values.cluster.checkpoints.claimName .Values.cluster.checkpoints.location }}{{ fail "cluster.checkpoints is set, but cluster.enabled is false: want cluster.enabled" }}{{ end -}}
{{- if .Values.trainer.separate }}{{ fail "trainer.separate is true, but cluster.enabled is false: want cluster.enabled, or what the trainer learns would reach nobody" }}{{ end -}}
{{- if dig "wukong" "cluster" "kafka" "addresses" "" .Values.config }}{{ fail "config.wukong.cluster.kafka.addresses is set, but cluster.enabled is false: set cluster.enabled and cluster.kafka.addresses" }}{{ end -}}
{{- end -}}
{{- if and .Values.autoscaling.enabled (gt (int .Values.autoscaling.minReplicas) (int .Values.autoscaling.maxReplicas)) -}}
{{- fail (printf "autoscaling.minReplicas is %v: want at most autoscaling.maxReplicas, %v" .Values.autoscaling.minReplicas .Values.autoscaling.maxReplicas) -}}
{{- end -}}
{{- if and .Values.autoscaling.enabled (not .Values.autoscaling.queueTime.metric) (not (int .Values.autoscaling.cpuPercent)) -}}
{{- fail "autoscaling.enabled is true, but autoscaling.queueTime.metric is empty and autoscaling.cpuPercent is 0: want one of them at least" -}}
{{- end -}}
{{- if not .Values.tls.secretName -}}
{{- if or .Values.tls.http (ne .Values.tls.clients "none") }}{{ fail (printf "tls.secretName is empty, but tls.http is %v and tls.clients is '%v': want the name of a secret with tls.crt and tls.key" .Values.tls.http .Values.tls.clients) }}{{ end -}}
{{- end -}}
{{- if and .Values.admin.expose (not (dig "wukong" "admin" "ssl-bundle" "" .Values.config)) -}}
{{- fail "admin.expose is true, but config.wukong.admin.ssl-bundle is not set: want a bundle whose truststore says who may steer the service; 'kubectl port-forward' needs neither" -}}
{{- end -}}
{{- with .Values.monitoring.serviceMonitor -}}
{{- if and .enabled (include "wukong-serving.roles" $) (not .authorization) (not .tlsConfig) -}}
{{- fail "config.wukong.roles says who may ask, but monitoring.serviceMonitor.authorization and .tlsConfig are empty: want what Prometheus shows, such as authorization: {credentials: {name: SECRET, key: token}}" -}}
{{- end -}}
{{- end -}}
{{- if .Values.networkPolicy.enabled -}}
{{- $egress := .Values.networkPolicy.egress -}}
{{- if .Values.cluster.enabled -}}
{{- if not (dig "kafka" "to" (list) $egress) }}{{ fail "networkPolicy.enabled and cluster.enabled are true, but networkPolicy.egress.kafka.to is empty: want the brokers' peers" }}{{ end -}}
{{- if and (eq .Values.cluster.election "lease") (not (dig "apiServer" "to" (list) $egress)) }}{{ fail "networkPolicy.enabled is true and cluster.election is lease, but networkPolicy.egress.apiServer.to is empty: want the API server's peers, such as {ipBlock: {cidr: 10.0.0.1/32}}" }}{{ end -}}
{{- end -}}
{{- if and .Values.cluster.checkpoints.location (not (dig "objectStorage" "to" (list) $egress)) }}{{ fail "networkPolicy.enabled is true and cluster.checkpoints.location is set, but networkPolicy.egress.objectStorage.to is empty: want the store's peers" }}{{ end -}}
{{- if and .Values.cluster.redis.addresses (not (dig "redis" "to" (list) $egress)) }}{{ fail "networkPolicy.enabled is true and cluster.redis.addresses is set, but networkPolicy.egress.redis.to is empty: want the nodes' peers" }}{{ end -}}
{{- if and (eq (dig "wukong" "rows" "store" "" .Values.config) "redis") (not (dig "redis" "to" (list) $egress)) }}{{ fail "networkPolicy.enabled is true and config.wukong.rows.store is redis, but networkPolicy.egress.redis.to is empty: want the nodes' peers" }}{{ end -}}
{{- end -}}
{{- end -}}

{{- /* Labels that Prometheus gives to what it scrapes of this release. */ -}}
{{- define "wukong-serving.scope" -}}
namespace="{{ .Release.Namespace }}",job=~"{{ include "wukong-serving.name" . }}-pods|{{ include "wukong-serving.workload" (dict "Chart" .Chart "Release" .Release "role" "trainer") }}-pods"
{{- end -}}

{{- define "wukong-serving.scheme" -}}
{{- if and .Values.tls.secretName .Values.tls.http }}HTTPS{{ else }}HTTP{{ end -}}
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
