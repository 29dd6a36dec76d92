{{/* The address of the database for one kind of process: (list $ "ingest"). */}}
{{- define "cdsw-gateway.store" -}}
{{- $root := index . 0 -}}
{{- if eq $root.Values.mode "single" -}}
sqlite:/var/lib/cdsw-gateway/gateway.db
{{- else -}}
{{- $pg := $root.Values.postgres -}}
postgres://{{ (get $pg (index . 1)).user }}@{{ $pg.host }}:{{ $pg.port }}/{{ $pg.database }}{{ with $pg.parameters }}?{{ . }}{{ end }}
{{- end -}}
{{- end -}}

{{/* The keys `postgres`, the same for all kinds of process; each mounts its own password there. */}}
{{- define "cdsw-gateway.postgres" -}}
{{- $password := dict "password" (dict "file" "/run/secrets/cdsw-gateway/database/password") -}}
{{- toYaml (merge $password .Values.postgres.options) -}}
{{- end -}}

{{/* What only a restart puts in force: (list $ component). The pods' checksum is made from this alone, so that a changed
route does not restart them. */}}
{{- define "cdsw-gateway.startConfig" -}}
{{- $root := index . 0 -}}
{{- $server := dict "listen" "0.0.0.0:8080" "admin" "0.0.0.0:8081" "health" "0.0.0.0:8082" "health_metrics" true
  "drain" (printf "%ds" (int $root.Values.shutdown.drainSeconds))
  "shutdown_grace" (printf "%ds" (int $root.Values.shutdown.graceSeconds)) -}}
server: {{- toYaml (merge $server ($root.Values.config.server | default dict)) | nindent 2 }}
store: {{ include "cdsw-gateway.store" . | quote }}
{{- if eq $root.Values.mode "replicas" }}
postgres: {{- include "cdsw-gateway.postgres" $root | nindent 2 }}
{{- end }}
{{- end -}}

{{/* One kind of process's gateway.yaml. They differ in the database's user alone. */}}
{{- define "cdsw-gateway.config" -}}
{{ include "cdsw-gateway.startConfig" . }}
{{- $config := deepCopy (omit (index . 0).Values.config "server") -}}
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

{{/* The key of a kind of process's gateway.yaml in the ConfigMap. */}}
{{- define "cdsw-gateway.configKey" -}}
{{- eq . "single" | ternary "gateway.yaml" (printf "%s.yaml" .) -}}
{{- end -}}

{{- define "cdsw-gateway.configMap" -}}
{{ .Values.existingConfigMap | default (include "cdsw-gateway.name" (list . "config")) }}
{{- end -}}

{{- define "cdsw-gateway.migrateArgs" -}}
- migrate
- --config
- /etc/cdsw-gateway/gateway.yaml
{{- end -}}
