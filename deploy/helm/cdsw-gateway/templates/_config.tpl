{{/* The store. The address of a database names no user: each pod has its own in its environment. */}}
{{- define "cdsw-gateway.store" -}}
{{- if eq .Values.mode "single" -}}
sqlite:/var/lib/cdsw-gateway/gateway.db
{{- else -}}
{{- $pg := .Values.postgres -}}
postgres://{{ $pg.host }}:{{ $pg.port }}/{{ $pg.database }}{{ with $pg.parameters }}?{{ . }}{{ end }}
{{- end -}}
{{- end -}}

{{/* The keys `postgres`, the same for all kinds of process; each has its own user and mounts its own password there. */}}
{{- define "cdsw-gateway.postgres" -}}
{{- $login := dict "user" (dict "env" "CDSW_GATEWAY_DATABASE_USER")
  "password" (dict "file" "/run/secrets/cdsw-gateway/database/password") -}}
{{- toYaml (merge $login .Values.postgres.options) -}}
{{- end -}}

{{/* What only a restart puts in force. The pods' checksum is made from this alone, so that a changed route does not
restart them. */}}
{{- define "cdsw-gateway.startConfig" -}}
{{- $root := . -}}
{{- $server := dict "listen" "0.0.0.0:8080" "admin" "0.0.0.0:8081" "health" "0.0.0.0:8082" "health_metrics" true
  "drain" (printf "%ds" (int $root.Values.shutdown.drainSeconds))
  "shutdown_grace" (printf "%ds" (int $root.Values.shutdown.graceSeconds)) -}}
server: {{- toYaml (merge $server ($root.Values.config.server | default dict)) | nindent 2 }}
store: {{ include "cdsw-gateway.store" . | quote }}
{{- if eq $root.Values.mode "replicas" }}
postgres: {{- include "cdsw-gateway.postgres" $root | nindent 2 }}
{{- end }}
{{- end -}}

{{/* gateway.yaml, the same for all kinds of process. */}}
{{- define "cdsw-gateway.config" -}}
{{ include "cdsw-gateway.startConfig" . }}
{{- $config := deepCopy (omit .Values.config "server") -}}
{{/* Helm reads the key `on` without quotes as true, by YAML 1.1. */}}
{{- range $name, $route := $config.routes }}
{{- if and (kindIs "map" $route) (hasKey $route "true") }}
{{- $_ := set $route "on" (get $route "true") }}
{{- $_ := unset $route "true" }}
{{- end }}
{{- end }}
{{- with $config }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{- define "cdsw-gateway.configMap" -}}
{{ .Values.existingConfigMap | default (include "cdsw-gateway.name" (list . "config")) }}
{{- end -}}

{{/* The arguments of the migration: (list $ whether it grants the rights too). */}}
{{- define "cdsw-gateway.migrateArgs" -}}
{{- $pg := (index . 0).Values.postgres -}}
- migrate
- --config
- /etc/cdsw-gateway/gateway.yaml
{{- if index . 1 }}
- --roles
- --ingest-login
- {{ $pg.ingest.user }}
- --dispatch-login
- {{ $pg.dispatch.user }}
{{- end }}
{{- end -}}
