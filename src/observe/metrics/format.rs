//! The two formats of the metrics, and which of them a request asks for. Pure.
//!
//! OpenMetrics 1.0.0: <https://github.com/prometheus/OpenMetrics/blob/v1.0.0/specification/OpenMetrics.md>.
//! Text 0.0.4: <https://prometheus.io/docs/instrumenting/exposition_formats/#text-based-format>.

/// A format of the metrics.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MetricsFormat {
    /// Prometheus's text format 0.0.4, which every tool reads.
    Text,
    /// OpenMetrics 1.0.0.
    OpenMetrics,
}

impl MetricsFormat {
    /// Its media type.
    pub fn media_type(self) -> &'static str {
        match self {
            Self::Text => "text/plain; version=0.0.4; charset=utf-8",
            Self::OpenMetrics => "application/openmetrics-text; version=1.0.0; charset=utf-8",
        }
    }

    /// The format that the header `Accept` asks for (RFC 9110, 12.5.1). It is the text format unless OpenMetrics is
    /// named, and no other with more weight: a request that does not know of OpenMetrics cannot read it.
    pub fn accepted(header: Option<&str>) -> Self {
        let mut best = (0, Self::Text);
        for range in header.unwrap_or_default().split(',') {
            let mut parts = range.split(';').map(str::trim);
            let name = parts.next().unwrap_or_default();
            let (mut weight, mut version) = (1000, None);
            for part in parts {
                match part.split_once('=') {
                    Some((key, value)) if key.trim().eq_ignore_ascii_case("q") => {
                        weight = thousandths(value)
                    }
                    Some((key, value)) if key.trim().eq_ignore_ascii_case("version") => {
                        version = Some(value.trim().trim_matches('"'));
                    }
                    _ => {}
                }
            }
            let is_open = name.eq_ignore_ascii_case("application/openmetrics-text");
            let format = match (is_open, version) {
                (true, None | Some("1.0.0")) => Self::OpenMetrics,
                (true, Some(_)) => continue,
                (false, _) => Self::Text,
            };
            if weight > best.0 || (weight > 0 && weight == best.0 && is_open) {
                best = (weight, format);
            }
        }
        best.1
    }
}

/// A weight between 0 and 1, in thousandths; 0 for what is no weight.
fn thousandths(text: &str) -> u32 {
    let weight: f64 = text.trim().parse().unwrap_or(0.0);
    // Within 0 to 1,000, so the conversion loses only the rest of a thousandth.
    (weight.clamp(0.0, 1.0) * 1000.0) as u32
}

/// Writes what the library gives, which is OpenMetrics, in this format.
///
/// The lines about a counter have the name of its samples: that is the rule of text 0.0.4, by which `promtool check
/// metrics` reads either format. In OpenMetrics such a name can have no type `counter`, so there it has none, which
/// means `unknown`; the name itself ends in `_total`.
pub(super) fn written(open: &str, format: MetricsFormat) -> String {
    let is_open = format == MetricsFormat::OpenMetrics;
    let mut out = String::with_capacity(open.len());
    let mut help: Option<(&str, &str)> = None;
    let mut counter = "";
    for line in open.lines() {
        if let Some((name, words)) = described(line, "# HELP ") {
            help = Some((name, words));
        } else if let Some((name, kind)) = described(line, "# TYPE ") {
            let is_counter = kind == "counter";
            let suffix = if is_counter { "_total" } else { "" };
            if is_counter {
                counter = name;
            }
            let words = help.take().filter(|(of, _)| *of == name).map(|(_, words)| words);
            if let Some(words) = words {
                out.extend(["# HELP ", name, suffix, " ", words, "\n"]);
            }
            if !(is_open && is_counter) {
                out.extend(["# TYPE ", name, suffix, " ", kind, "\n"]);
            }
        } else if let Some((name, _)) = described(line, "# UNIT ") {
            if is_open && name != counter {
                out.extend([line, "\n"]);
            }
        } else if !line.starts_with('#') || is_open {
            out.extend([line, "\n"]);
        }
    }
    out
}

fn described<'l>(line: &'l str, before: &str) -> Option<(&'l str, &'l str)> {
    line.strip_prefix(before)?.split_once(' ')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_format_is_the_one_that_was_asked_for() {
        let prometheus = "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.5,\
            application/openmetrics-text;version=0.0.1;q=0.4,text/plain;version=1.0.0;q=0.3,\
            text/plain;version=0.0.4;q=0.2,*/*;q=0.1";
        let open = [
            prometheus,
            "application/openmetrics-text",
            "application/openmetrics-text; version=1.0.0",
            "Application/OpenMetrics-Text; Version=\"1.0.0\"; charset=utf-8",
            "text/plain;q=0.3, application/openmetrics-text;q=0.9",
        ];
        for accept in open {
            assert_eq!(
                MetricsFormat::accepted(Some(accept)),
                MetricsFormat::OpenMetrics,
                "{accept}"
            );
        }
        let text = [
            "",
            "*/*",
            "text/plain",
            "text/plain;version=0.0.4",
            "text/html,application/xhtml+xml,*/*;q=0.8",
            "application/openmetrics-text;q=0",
            "application/openmetrics-text;version=0.0.1",
            "application/openmetrics-text;q=nonsense",
            "application/openmetrics-text;q=0.2,text/plain;q=0.7",
            "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily",
        ];
        for accept in text {
            assert_eq!(MetricsFormat::accepted(Some(accept)), MetricsFormat::Text, "{accept}");
        }
        assert_eq!(MetricsFormat::accepted(None), MetricsFormat::Text);
    }

    const OPEN: &str = "# HELP a_starts Starts made.\n# TYPE a_starts counter\na_starts_total{job=\"x # y\"} 1\n\
        # HELP a_cpu_seconds Time.\n# TYPE a_cpu_seconds counter\n# UNIT a_cpu_seconds seconds\n\
        a_cpu_seconds_total 2\n# HELP a_took_seconds Time.\n# TYPE a_took_seconds histogram\n\
        # UNIT a_took_seconds seconds\na_took_seconds_sum 0.5\n# EOF\n";

    #[test]
    fn text_describes_a_counter_under_the_name_of_its_samples() {
        let text = "# HELP a_starts_total Starts made.\n# TYPE a_starts_total counter\n\
            a_starts_total{job=\"x # y\"} 1\n# HELP a_cpu_seconds_total Time.\n\
            # TYPE a_cpu_seconds_total counter\na_cpu_seconds_total 2\n# HELP a_took_seconds Time.\n\
            # TYPE a_took_seconds histogram\na_took_seconds_sum 0.5\n";
        assert_eq!(written(OPEN, MetricsFormat::Text), text);
    }

    #[test]
    fn open_metrics_has_units_and_an_end_and_no_name_twice() {
        let open = "# HELP a_starts_total Starts made.\na_starts_total{job=\"x # y\"} 1\n\
            # HELP a_cpu_seconds_total Time.\na_cpu_seconds_total 2\n# HELP a_took_seconds Time.\n\
            # TYPE a_took_seconds histogram\n# UNIT a_took_seconds seconds\na_took_seconds_sum 0.5\n# EOF\n";
        assert_eq!(written(OPEN, MetricsFormat::OpenMetrics), open);
    }
}
