{{- /* Pods with a volume each: those that serve, or the one that trains alone. */ -}}
{{- define "wukong-serving.statefulset" -}}
{{- $role := default "serving" .role }}
{{- $of := ternary "trainer." "" (eq $role "trainer") }}
{{- $secrets := dict }}
{{- with .Values.tls.secretName }}{{ $secrets = set $secrets "tls" . }}{{ end }}
{{- with .Values.tokens.secretName }}{{ $secrets = set $secrets "tokens" . }}{{ end }}
{{- if .Values.cluster.enabled }}{{ with .Values.cluster.kafka.secretName }}{{ $secrets = set $secrets "kafka" . }}{{ end }}{{ end }}
{{- $cuda := include "wukong-serving.cuda" . }}
{{- $devices := splitList "," .Values.device }}
{{- if and $cuda (gt (len $devices) (int .Values.gpu.count)) }}
{{- fail (printf "%sdevice is %s, but %sgpu.count is %v: want %d or more" $of .Values.device $of .Values.gpu.count (len $devices)) }}
{{- end }}
apiVersion: apps/v1
kind: StatefulSet
metadata:
  name: {{ include "wukong-serving.workload" . }}
  labels:
    {{- include "wukong-serving.labels" . | nindent 4 }}
spec:
  {{- if eq $role "trainer" }}
  replicas: 1
  {{- else if not .Values.autoscaling.enabled }}
  replicas: {{ .Values.replicas }}
  {{- end }}
  serviceName: {{ include "wukong-serving.workload" . }}-pods
  # Pods do not wait for each other: each loads its own models.
  podManagementPolicy: Parallel
  {{- with .Values.update.minReadySeconds }}
  minReadySeconds: {{ . }}
  {{- end }}
  updateStrategy:
    type: RollingUpdate
    rollingUpdate:
      {{- /* The trainer is one pod: no share of it can be held back. */}}
      partition: {{ ternary 0 (int .Values.update.partition) (eq $role "trainer") }}
  persistentVolumeClaimRetentionPolicy:
    whenDeleted: {{ .Values.storage.whenDeleted }}
    whenScaled: {{ .Values.storage.whenScaled }}
  selector:
    matchLabels:
      {{- include "wukong-serving.selector" . | nindent 6 }}
  template:
    metadata:
      labels:
        {{- include "wukong-serving.labels" . | nindent 8 }}
        app.kubernetes.io/component: {{ $role }}
        {{- with .Values.podLabels }}
        {{- toYaml . | nindent 8 }}
        {{- end }}
      annotations:
        # New settings start new pods.
        checksum/config: {{ include "wukong-serving.application" . | sha256sum }}
        {{- with .Values.podAnnotations }}
        {{- toYaml . | nindent 8 }}
        {{- end }}
    spec:
      serviceAccountName: {{ include "wukong-serving.serviceAccount" . }}
      # Only who takes part in the election asks Kubernetes anything.
      automountServiceAccountToken: {{ eq (include "wukong-serving.leases" .) "true" }}
      enableServiceLinks: false
      terminationGracePeriodSeconds: {{ .Values.terminationGracePeriodSeconds }}
      securityContext:
        {{- include "wukong-serving.podSecurity" . | nindent 8 }}
      {{- with .Values.imagePullSecrets }}
      imagePullSecrets:
        {{- toYaml . | nindent 8 }}
      {{- end }}
      {{- with .Values.priorityClassName }}
      priorityClassName: {{ . }}
      {{- end }}
      {{- if and $cuda .Values.gpu.runtimeClassName }}
      runtimeClassName: {{ .Values.gpu.runtimeClassName }}
      {{- end }}
      {{- with merge (dict) .Values.nodeSelector (ternary .Values.gpu.nodeSelector (dict) (eq $cuda "true")) }}
      nodeSelector:
        {{- toYaml . | nindent 8 }}
      {{- end }}
      {{- with concat .Values.tolerations (ternary .Values.gpu.tolerations (list) (eq $cuda "true")) }}
      tolerations:
        {{- toYaml . | nindent 8 }}
      {{- end }}
      {{- with .Values.affinity }}
      affinity:
        {{- toYaml . | nindent 8 }}
      {{- end }}
      {{- if eq $role "serving" }}
      topologySpreadConstraints:
        {{- range $key, $rule := dict "kubernetes.io/hostname" .Values.topologySpread.nodes "topology.kubernetes.io/zone" .Values.topologySpread.zones }}
        - maxSkew: 1
          topologyKey: {{ $key }}
          whenUnsatisfiable: {{ $rule }}
          labelSelector:
            matchLabels:
              {{- include "wukong-serving.selector" $ | nindent 14 }}
        {{- end }}
      {{- end }}
      containers:
        - name: serving
          image: {{ include "wukong-serving.image" . | quote }}
          imagePullPolicy: {{ .Values.image.pullPolicy }}
          securityContext:
            {{- include "wukong-serving.containerSecurity" . | nindent 12 }}
          env:
            # Read by ONNX Runtime before Java starts.
            - name: ORT_DISABLE_TELEMETRY
              value: "1"
            - name: SPRING_CONFIG_ADDITIONAL_LOCATION
              value: file:/etc/wukong/
            {{- with .Values.javaOptions }}
            - name: JDK_JAVA_OPTIONS
              value: {{ . | quote }}
            {{- end }}
            {{- with .Values.env }}
            {{- toYaml . | nindent 12 }}
            {{- end }}
          ports:
            - name: grpc
              containerPort: 9090
            - name: http
              containerPort: 8080
            {{- if .Values.admin.expose }}
            - name: admin
              containerPort: 9091
            {{- end }}
          startupProbe:
            httpGet:
              path: /actuator/health/liveness
              port: http
              {{- if eq (include "wukong-serving.scheme" .) "HTTPS" }}
              scheme: HTTPS
              {{- end }}
            periodSeconds: 2
            timeoutSeconds: 2
            failureThreshold: {{ div (add .Values.probes.startupSeconds 1) 2 }}
          readinessProbe:
            httpGet:
              path: /actuator/health/readiness
              port: http
              {{- if eq (include "wukong-serving.scheme" .) "HTTPS" }}
              scheme: HTTPS
              {{- end }}
            periodSeconds: {{ .Values.probes.readinessPeriodSeconds }}
            timeoutSeconds: 2
            failureThreshold: 2
          # Only what a restart cures: not a missing bundle, not a store that is away.
          livenessProbe:
            httpGet:
              path: /actuator/health/liveness
              port: http
              {{- if eq (include "wukong-serving.scheme" .) "HTTPS" }}
              scheme: HTTPS
              {{- end }}
            periodSeconds: {{ .Values.probes.livenessPeriodSeconds }}
            timeoutSeconds: 5
            failureThreshold: 6
          resources:
            {{- $resources := deepCopy .Values.resources }}
            {{- if $cuda }}
            {{- $resources = mergeOverwrite $resources (dict "limits" (dict .Values.gpu.resource .Values.gpu.count)) }}
            {{- end }}
            {{- toYaml $resources | nindent 12 }}
          volumeMounts:
            - name: config
              mountPath: /etc/wukong
              readOnly: true
            {{- /* Whole, without subPath: what is renewed in a secret comes into the pod. */}}
            {{- range $name, $secret := $secrets }}
            - name: {{ $name }}
              mountPath: /etc/wukong/{{ $name }}
              readOnly: true
            {{- end }}
            - name: data
              mountPath: /var/lib/wukong
            {{- if and .Values.cluster.enabled .Values.cluster.checkpoints.claimName }}
            - name: checkpoints
              mountPath: /var/lib/wukong-shared
            {{- end }}
            {{- if .Values.bundles.existingClaim }}
            - name: bundles
              mountPath: /var/lib/wukong/bundles
              readOnly: {{ .Values.bundles.readOnly }}
              {{- with .Values.bundles.subPath }}
              subPath: {{ . }}
              {{- end }}
            {{- end }}
            - name: tmp
              mountPath: /tmp
      volumes:
        - name: config
          configMap:
            name: {{ include "wukong-serving.workload" . }}
        {{- if .Values.bundles.existingClaim }}
        - name: bundles
          persistentVolumeClaim:
            claimName: {{ .Values.bundles.existingClaim }}
            readOnly: {{ .Values.bundles.readOnly }}
        {{- end }}
        {{- if .Values.cluster.enabled }}
        {{- with .Values.cluster.checkpoints.claimName }}
        - name: checkpoints
          persistentVolumeClaim:
            claimName: {{ . }}
        {{- end }}
        {{- end }}
        {{- range $name, $secret := $secrets }}
        - name: {{ $name }}
          secret:
            secretName: {{ $secret }}
            defaultMode: 288 # 0440
        {{- end }}
        # Native libraries are unpacked here.
        - name: tmp
          emptyDir:
            sizeLimit: 512Mi
  volumeClaimTemplates:
    - metadata:
        name: data
        labels:
          {{- include "wukong-serving.selector" . | nindent 10 }}
      spec:
        accessModes:
          {{- toYaml .Values.storage.accessModes | nindent 10 }}
        {{- with .Values.storage.className }}
        storageClassName: {{ . }}
        {{- end }}
        resources:
          requests:
            storage: {{ .Values.storage.size }}
{{- end -}}
