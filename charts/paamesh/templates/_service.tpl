{{/* The labels of everything that belongs to one service; `dict "root" $ "name" "operator"`. */}}
{{- define "paamesh.selector" -}}
app.kubernetes.io/name: paamesh
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .name }}
{{- end }}

{{- define "paamesh.labels" -}}
{{ include "paamesh.selector" . }}
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
helm.sh/chart: {{ .root.Chart.Name }}-{{ .root.Chart.Version }}
{{- end }}

{{- define "paamesh.agentImage" -}}
{{ .Values.agent.image.repository }}:{{ .Values.agent.image.tag | default .Chart.AppVersion }}
{{- end }}

{{/* The Deployment of one service; `dict "root" $ "name" "operator" "values" .Values.operator`. */}}
{{- define "paamesh.deployment" -}}
{{- $root := .root -}}
apiVersion: apps/v1
kind: Deployment
metadata:
  name: paamesh-{{ .name }}
  namespace: {{ $root.Release.Namespace }}
  labels: {{- include "paamesh.labels" . | nindent 4 }}
spec:
  replicas: {{ .values.replicas }}
  selector:
    matchLabels: {{- include "paamesh.selector" . | nindent 6 }}
  template:
    metadata:
      labels: {{- include "paamesh.labels" . | nindent 8 }}
      annotations:
        prometheus.io/scrape: "true"
        prometheus.io/port: "8080"
        prometheus.io/path: /metrics
    spec:
      serviceAccountName: paamesh-{{ .name }}
      enableServiceLinks: false
      {{- with $root.Values.imagePullSecrets }}
      imagePullSecrets: {{- toYaml . | nindent 8 }}
      {{- end }}
      {{- with .values.priorityClassName }}
      priorityClassName: {{ . }}
      {{- end }}
      {{- with .values.nodeSelector }}
      nodeSelector: {{- toYaml . | nindent 8 }}
      {{- end }}
      {{- with .values.tolerations }}
      tolerations: {{- toYaml . | nindent 8 }}
      {{- end }}
      {{- with .values.affinity }}
      affinity: {{- toYaml . | nindent 8 }}
      {{- end }}
      securityContext:
        runAsNonRoot: true
        runAsUser: 65532
        runAsGroup: 65532
        fsGroup: 65532
        seccompProfile: {type: RuntimeDefault}
      containers:
        - name: {{ .name }}
          image: {{ $root.Values.image.repository }}:{{ $root.Values.image.tag | default $root.Chart.AppVersion }}
          imagePullPolicy: {{ $root.Values.image.pullPolicy }}
          args: [{{ .name }}]
          env:
            - name: PAAMESH_NAMESPACE
              valueFrom: {fieldRef: {fieldPath: metadata.namespace}}
            - name: PAAMESH_IDENTITY
              valueFrom: {fieldRef: {fieldPath: metadata.name}}
            - {name: PAAMESH_WORKERS, value: {{ $root.Values.workers | quote }}}
            - {name: PAAMESH_RECONCILE_TIMEOUT, value: {{ $root.Values.reconcileTimeout | quote }}}
            - {name: PAAMESH_API_QPS, value: {{ $root.Values.apiQps | quote }}}
            # Threads that block come and go: few heaps, no caches of theirs, and what was given back goes to
            # the system soon.
            - {name: _RJEM_MALLOC_CONF, value: "narenas:2,tcache:false,dirty_decay_ms:1000,muzzy_decay_ms:0"}
            - {name: PAAMESH_LOG, value: {{ $root.Values.log | quote }}}
            {{- if eq .name "operator" }}
            - {name: PAAMESH_AGENT_IMAGE, value: {{ include "paamesh.agentImage" $root | quote }}}
            {{- end }}
            {{- if eq .name "registry" }}
            - {name: PAAMESH_WEBHOOK_LISTEN, value: {{ ternary "[::]:9292" "" .values.webhooks.enabled | quote }}}
            {{- if .values.directories }}
            - {name: PAAMESH_DIRECTORIES, value: /var/lib/paamesh-directories}
            {{- end }}
            {{- end }}
          ports:
            - {name: http, containerPort: 8080}
            {{- if and (eq .name "registry") .values.webhooks.enabled }}
            - {name: webhooks, containerPort: 9292}
            {{- end }}
          startupProbe:
            httpGet: {path: /livez, port: http}
            periodSeconds: 1
            failureThreshold: 60
          livenessProbe:
            httpGet: {path: /livez, port: http}
            periodSeconds: 10
            timeoutSeconds: 5
          readinessProbe:
            httpGet: {path: /readyz, port: http}
            periodSeconds: 2
            timeoutSeconds: 5
          resources: {{- toYaml .values.resources | nindent 12 }}
          securityContext:
            allowPrivilegeEscalation: false
            readOnlyRootFilesystem: true
            capabilities: {drop: [ALL]}
          {{- if eq .name "registry" }}
          volumeMounts:
            - {name: data, mountPath: /var/lib/paamesh}
            - {name: tmp, mountPath: /tmp}
            {{- if .values.directories }}
            - {name: directories, mountPath: /var/lib/paamesh-directories, readOnly: true}
            {{- end }}
          {{- end }}
      {{- if eq .name "registry" }}
      volumes:
        - name: data
          emptyDir: {sizeLimit: {{ .values.dataSizeLimit }}}
        - name: tmp
          emptyDir: {sizeLimit: 64Mi}
        {{- with .values.directories }}
        - name: directories
          {{- toYaml . | nindent 10 }}
        {{- end }}
      {{- end }}
{{- end }}
