{{/* The base of all names: at most 63 characters once a suffix such as `-dispatch-health` is added. */}}
{{- define "cdsw-gateway.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 47 | trimSuffix "-" -}}
{{- else -}}
{{- $name := default .Chart.Name .Values.nameOverride -}}
{{- if contains $name .Release.Name -}}
{{- .Release.Name | trunc 47 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name $name | trunc 47 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* A name with its suffix: (list $ "ingest"). The base is cut and never the suffix. */}}
{{- define "cdsw-gateway.name" -}}
{{- $root := index . 0 -}}{{- $suffix := index . 1 -}}
{{- printf "%s-%s" (include "cdsw-gateway.fullname" $root) $suffix -}}
{{- end -}}

{{/* Labels by which pods are selected: (list $ component). They cannot be changed later. */}}
{{- define "cdsw-gateway.selector" -}}
{{- $root := index . 0 -}}
app.kubernetes.io/name: {{ default $root.Chart.Name $root.Values.nameOverride | trunc 63 | trimSuffix "-" }}
app.kubernetes.io/instance: {{ $root.Release.Name }}
app.kubernetes.io/component: {{ index . 1 }}
{{- end -}}

{{/* All labels of an object: (list $ component). */}}
{{- define "cdsw-gateway.labels" -}}
{{- $root := index . 0 -}}
helm.sh/chart: {{ printf "%s-%s" $root.Chart.Name $root.Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" }}
{{ include "cdsw-gateway.selector" . }}
app.kubernetes.io/version: {{ $root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ $root.Release.Service }}
{{- with $root.Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{- define "cdsw-gateway.image" -}}
{{- if .Values.image.digest -}}
{{ .Values.image.repository }}@{{ .Values.image.digest }}
{{- else -}}
{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}
{{- end -}}
{{- end -}}

{{- define "cdsw-gateway.serviceAccount" -}}
{{- if .Values.serviceAccount.create -}}
{{ .Values.serviceAccount.name | default (include "cdsw-gateway.fullname" .) }}
{{- else -}}
{{ .Values.serviceAccount.name | default "default" }}
{{- end -}}
{{- end -}}

{{/* The components of a mode, as JSON. */}}
{{- define "cdsw-gateway.components" -}}
{{- if eq .Values.mode "single" -}}["single"]{{- else -}}["ingest","dispatch"]{{- end -}}
{{- end -}}

{{/* Whether a kind outside of Kubernetes is rendered: (list $ renderMode apiVersion kind). */}}
{{- define "cdsw-gateway.renders" -}}
{{- $root := index . 0 -}}{{- $mode := index . 1 -}}{{- $kind := printf "%s/%s" (index . 2) (index . 3) -}}
{{- if or (eq $mode "alwaysRender") ($root.Capabilities.APIVersions.Has $kind) -}}true
{{- else if eq $mode "failIfMissing" -}}
{{- fail (printf "the cluster does not know %s: install its CRD, or set renderMode to alwaysRender or skipIfMissing" $kind) -}}
{{- end -}}
{{- end -}}
