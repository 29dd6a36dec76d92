//! Names of variables that a route may not set unless its job allows it: with them a sender could gain rights
//! or change what a run executes. A job can never allow `GATEWAY_*`.
//!
//! The vendor's documentation names `PATH` and `CDSW_*`. The others control the shell, the language runtimes,
//! the cluster's clients or the limits of the workbench.

/// The reserved names. A star at the end stands for any ending, a star in front for any beginning.
pub const RESERVED: [&str; 57] = [
    "PATH",
    "CDSW_*",
    "LD_*",
    "DYLD_*",
    "PYTHON*",
    "PERL5*",
    "RUBYOPT",
    "NODE_*",
    "R_*",
    "BASH_ENV",
    "BASH_FUNC_*",
    "ENV",
    "IFS",
    "SHELL",
    "HOME",
    "USER",
    "LOGNAME",
    "PS4",
    "PROMPT_COMMAND",
    "TMPDIR",
    "JAVA_*",
    "_JAVA_OPTIONS",
    "JDK_JAVA_OPTIONS",
    "CLASSPATH",
    "HADOOP_*",
    "YARN_*",
    "HDFS_*",
    "SPARK_*",
    "PYSPARK_*",
    "HIVE_*",
    "KRB5*",
    "SCALA_*",
    "CONDA_*",
    "PIP_*",
    "JUPYTER*",
    "ML_RUNTIME_*",
    "PROJECT_OWNER",
    "MAX_TEXT_LENGTH",
    "JOB_MAXIMUM_MINUTES",
    "SESSION_MAXIMUM_MINUTES",
    "IDLE_MAXIMUM_MINUTES",
    "GIT_SSH*",
    "GIT_CONFIG*",
    "GIT_EXEC_PATH",
    "GIT_ASKPASS",
    "GIT_PROXY_COMMAND",
    "SSH_*",
    "*_PROXY",
    "SSL_CERT_*",
    "REQUESTS_CA_BUNDLE",
    "CURL_CA_BUNDLE",
    "KUBERNETES_*",
    "DS_RUNTIME_*",
    "AWS_*",
    "AZURE_*",
    "GOOGLE_*",
    "GATEWAY_*",
];

/// The reserved name or pattern that this name matches, if any. Case does not matter.
pub fn is_reserved(name: &str) -> Option<&'static str> {
    matching(name, RESERVED)
}

/// The first of these names and patterns that this name matches.
pub(super) fn matching(
    name: &str,
    patterns: impl IntoIterator<Item = &'static str>,
) -> Option<&'static str> {
    let name = name.to_ascii_uppercase();
    patterns.into_iter().find(|pattern| {
        match (pattern.strip_suffix('*'), pattern.strip_prefix('*')) {
            (Some(start), _) => name.starts_with(start),
            (None, Some(end)) => name.ends_with(end),
            (None, None) => name == *pattern,
        }
    })
}

/// Whether only the gateway itself may set a variable of this name.
pub fn is_own(name: &str) -> bool {
    name.to_ascii_uppercase().starts_with("GATEWAY_")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_reserved_whatever_their_case() {
        assert_eq!(is_reserved("Path"), Some("PATH"));
        assert_eq!(is_reserved("cdsw_project"), Some("CDSW_*"));
        assert_eq!(is_reserved("https_proxy"), Some("*_PROXY"));
        assert_eq!(is_reserved("GATEWAY_RUN_ID"), Some("GATEWAY_*"));
    }

    #[test]
    fn ordinary_names_are_free() {
        for name in ["GIT_SHA", "GIT_BRANCH", "START_DATE", "PATHS", "MODEL", "PROXY"] {
            assert_eq!(is_reserved(name), None, "{name}");
        }
    }
}
