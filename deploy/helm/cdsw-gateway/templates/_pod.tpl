{{/* Sources of a projected volume from references to Secrets, each with the keys that it gives. */}}
{{- define "cdsw-gateway.secretSources" -}}
{{- range . }}
- secret:
    name: {{ .secret }}
    {{- with .items }}
    items: {{- toYaml . | nindent 6 }}
    {{- end }}
{{- end }}
{{- end -}}

{{/* The secrets that a kind of process mounts, as directory: list of references. This is the one place that decides
it: ingest has no API key and no admin token, dispatch has no webhook secret. */}}
{{- define "cdsw-gateway.secretsOf" -}}
{{- $root := index . 0 -}}{{- $v := $root.Values -}}
{{- if eq (index . 1) "single" -}}
{{- toJson (dict "webhooks" $v.webhookSecrets "api-keys" $v.apiKeySecrets "admin-tokens" $v.adminTokenSecrets) -}}
{{- else if eq (index . 1) "ingest" -}}
{{- toJson (dict "webhooks" $v.webhookSecrets "ingest-tokens" $v.ingestTokenSecrets) -}}
{{- else if eq (index . 1) "dispatch" -}}
{{- toJson (dict "api-keys" $v.apiKeySecrets "admin-tokens" $v.adminTokenSecrets) -}}
{{- else -}}
{}
{{- end -}}
{{- end -}}

{{/* Password of the database: (list $ user's key in postgres). */}}
{{- define "cdsw-gateway.databaseSource" -}}
{{- $login := get (index . 0).Values.postgres (index . 1) -}}
- secret:
    name: {{ $login.existingSecret }}
    items: [{ key: {{ $login.key }}, path: password }]
{{- end -}}

{{- define "cdsw-gateway.caSources" -}}
{{- range . }}
{{- if .configMap }}
- configMap:
    name: {{ .configMap }}
{{- else }}
- secret:
    name: {{ .secret }}
{{- end }}
    {{- with .items }}
    items: {{- toYaml . | nindent 6 }}
    {{- end }}
{{- end }}
{{- end -}}

{{/* Volumes that hold secrets and authorities, for a kind of process. No volume is mounted by subPath, which would
hide updates. */}}
{{- define "cdsw-gateway.secretVolumes" -}}
{{- $root := index . 0 -}}{{- $component := index . 1 -}}
{{- range $name, $references := include "cdsw-gateway.secretsOf" . | fromJson }}
{{- if $references }}
- name: {{ $name }}
  projected:
    defaultMode: 0440
    sources: {{- include "cdsw-gateway.secretSources" $references | nindent 6 }}
{{- end }}
{{- end }}
{{- if ne $component "single" }}
- name: database
  projected:
    defaultMode: 0440
    sources: {{- include "cdsw-gateway.databaseSource" . | nindent 6 }}
{{- end }}
{{- with $root.Values.caBundles }}
- name: ca-bundles
  projected:
    defaultMode: 0444
    sources: {{- include "cdsw-gateway.caSources" . | nindent 6 }}
{{- end }}
{{- end -}}

{{- define "cdsw-gateway.secretMounts" -}}
{{- $root := index . 0 -}}
{{- range $name, $references := include "cdsw-gateway.secretsOf" . | fromJson }}
{{- if $references }}
- { name: {{ $name }}, mountPath: /run/secrets/cdsw-gateway/{{ $name }}, readOnly: true }
{{- end }}
{{- end }}
{{- if ne (index . 1) "single" }}
- { name: database, mountPath: /run/secrets/cdsw-gateway/database, readOnly: true }
{{- end }}
{{- if $root.Values.caBundles }}
- { name: ca-bundles, mountPath: /etc/cdsw-gateway-ca, readOnly: true }
{{- end }}
{{- end -}}

{{/* gateway.yaml and the teams' files in one volume, so that the kubelet swaps all of them at once. */}}
{{- define "cdsw-gateway.configVolume" -}}
{{- $root := index . 0 -}}
- name: config
  projected:
    defaultMode: 0444
    sources:
      - configMap:
          name: {{ include "cdsw-gateway.configMap" $root }}
          items: [{ key: gateway.yaml, path: gateway.yaml }]
      {{- with $root.Values.routes.files }}
      - configMap:
          name: {{ include "cdsw-gateway.name" (list $root "routes") }}
          items:
            {{- range $file, $text := . }}
            - { key: {{ $file }}, path: routes.d/{{ $file }} }
            {{- end }}
      {{- end }}
      {{- range $root.Values.routes.configMaps }}
      - configMap:
          name: {{ .name }}
          # A team's missing ConfigMap stops no pod.
          optional: true
          items:
            {{- range .items }}
            - { key: {{ .key }}, path: routes.d/{{ .path | default .key }} }
            {{- end }}
      {{- end }}
{{- end -}}

{{/* One probe: (dict "path" "/livez" "probe" values). */}}
{{- define "cdsw-gateway.probe" -}}
httpGet: { path: {{ .path }}, port: health }
{{ toYaml .probe }}
{{- end -}}

{{/* The metadata and spec of a pod that serves: (list $ component). */}}
{{- define "cdsw-gateway.pod" -}}
{{- $root := index . 0 -}}{{- $component := index . 1 -}}{{- $v := $root.Values -}}{{- $c := get $v $component -}}
metadata:
  labels:
    {{- include "cdsw-gateway.labels" . | nindent 4 }}
    {{- with $c.podLabels }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
  annotations:
    kubectl.kubernetes.io/default-container: gateway
    # Only what a restart puts in force; routes, jobs and secrets are read again without one.
    checksum/start-config: {{ include "cdsw-gateway.startConfig" $root | sha256sum }}
    {{- with $c.podAnnotations }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
spec:
  serviceAccountName: {{ include "cdsw-gateway.serviceAccount" $root }}
  automountServiceAccountToken: false
  # Variables of a Service named like the release would have our own prefix.
  enableServiceLinks: false
  {{- with $v.imagePullSecrets }}
  imagePullSecrets: {{- toYaml . | nindent 4 }}
  {{- end }}
  securityContext: {{- toYaml $v.podSecurityContext | nindent 4 }}
  # The longest stop (docs/operations.md): the drain, the grace for starts on the wire, at least 5 s for the rest, and
  # time to record; with 4 s to spare.
  terminationGracePeriodSeconds: {{ add $v.shutdown.drainSeconds $v.shutdown.graceSeconds (max 5 (int $v.shutdown.graceSeconds)) 10 }}
  containers:
    - name: gateway
      image: {{ include "cdsw-gateway.image" $root | quote }}
      imagePullPolicy: {{ $v.image.pullPolicy }}
      command: [/usr/local/bin/cdsw-gateway]
      args: {{- toYaml (concat (list "serve" "--config" "/etc/cdsw-gateway/gateway.yaml") $c.extraArgs) | nindent 8 }}
      env:
        - { name: CDSW_GATEWAY_ROLE, value: {{ eq $component "single" | ternary "all" $component }} }
        - { name: CDSW_GATEWAY_LOG, value: {{ $v.log.level | quote }} }
        - { name: CDSW_GATEWAY_LOG_FORMAT, value: {{ $v.log.format }} }
        {{- if ne $component "single" }}
        - { name: CDSW_GATEWAY_DATABASE_USER, value: {{ (get $v.postgres $component).user }} }
        {{- end }}
        {{- if eq $component "single" }}
        # SQLite's temporary files: the root is read-only, and there is no /tmp.
        - { name: SQLITE_TMPDIR, value: /var/lib/cdsw-gateway }
        {{- end }}
        {{- with $c.extraEnv }}
        {{- toYaml . | nindent 8 }}
        {{- end }}
      {{- with $c.extraEnvFrom }}
      envFrom: {{- toYaml . | nindent 8 }}
      {{- end }}
      ports:
        {{- if ne $component "dispatch" }}
        - { name: hooks, containerPort: 8080, protocol: TCP }
        {{- end }}
        # The API. Ingest has only its own refusals and status there, for `ingest_tokens`.
        - { name: admin, containerPort: 8081, protocol: TCP }
        # Health and metrics, and no API.
        - { name: health, containerPort: 8082, protocol: TCP }
      startupProbe: {{- include "cdsw-gateway.probe" (dict "path" "/livez" "probe" $v.probes.startup) | nindent 8 }}
      livenessProbe: {{- include "cdsw-gateway.probe" (dict "path" "/livez" "probe" $v.probes.liveness) | nindent 8 }}
      readinessProbe: {{- include "cdsw-gateway.probe" (dict "path" "/readyz" "probe" $v.probes.readiness) | nindent 8 }}
      securityContext: {{- toYaml $v.securityContext | nindent 8 }}
      resources: {{- toYaml $c.resources | nindent 8 }}
      volumeMounts:
        - { name: config, mountPath: /etc/cdsw-gateway, readOnly: true }
        {{- if eq $component "single" }}
        # Another directory than that of gateway.yaml, which is watched for changes.
        - { name: data, mountPath: /var/lib/cdsw-gateway }
        {{- end }}
        {{- include "cdsw-gateway.secretMounts" . | nindent 8 }}
        {{- with $c.extraVolumeMounts }}
        {{- toYaml . | nindent 8 }}
        {{- end }}
  volumes:
    {{- include "cdsw-gateway.configVolume" . | nindent 4 }}
    {{- include "cdsw-gateway.secretVolumes" . | nindent 4 }}
    {{- if and (eq $component "single") $v.persistence.existingClaim }}
    - name: data
      persistentVolumeClaim: { claimName: {{ $v.persistence.existingClaim }} }
    {{- end }}
    {{- with $c.extraVolumes }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
  {{- with $c.nodeSelector }}
  nodeSelector: {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with $c.tolerations }}
  tolerations: {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with $c.affinity }}
  affinity: {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with $c.priorityClassName }}
  priorityClassName: {{ . }}
  {{- end }}
  {{- if $c.topologySpreadConstraints }}
  topologySpreadConstraints: {{- toYaml $c.topologySpreadConstraints | nindent 4 }}
  {{- else if ne $component "single" }}
  topologySpreadConstraints:
    {{- range list "topology.kubernetes.io/zone" "kubernetes.io/hostname" }}
    - topologyKey: {{ . }}
      maxSkew: 1
      whenUnsatisfiable: ScheduleAnyway
      labelSelector:
        matchLabels: {{- include "cdsw-gateway.selector" (list $root $component) | nindent 10 }}
    {{- end }}
  {{- end }}
{{- end -}}
