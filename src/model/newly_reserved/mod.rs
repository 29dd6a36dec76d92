//! Names of variables that this version reserves beside [`RESERVED`](super::reserved::RESERVED). A
//! configuration that was written for an earlier version may use them: `check` refuses them, `serve` accepts
//! them for this version with a warning. The next version moves them to the other list.
//!
//! Each family has the reason: what a sender could do who chooses the value. Names that only carry facts
//! (`GIT_SHA`, `CUDA_VISIBLE_DEVICES`, `OMP_NUM_THREADS`, `MLFLOW_RUN_ID`, `RUST_LOG`) are left free.

mod families;

use super::reserved::matching;
pub use families::NEWLY_RESERVED;

/// Names that are reserved for one reason. A star at the end stands for any ending, a star in front for any
/// beginning.
#[derive(Clone, Copy, Debug)]
pub struct Family {
    /// What reads them.
    pub of: &'static str,
    /// What a value that a sender chooses could do.
    pub why: &'static str,
    /// The names and patterns, with spaces between them.
    pub names: &'static str,
}

/// The family that this name belongs to, and the name or pattern of it that matches. Case does not matter.
pub fn is_newly_reserved(name: &str) -> Option<(&'static str, &'static Family)> {
    NEWLY_RESERVED.iter().find_map(|family| Some((matching(name, family.names())?, family)))
}

impl Family {
    /// Each name and pattern.
    pub fn names(&self) -> impl Iterator<Item = &'static str> {
        self.names.split_whitespace()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::is_reserved;

    #[test]
    fn names_that_load_code_are_reserved_for_every_interpreter_and_tool() {
        for name in "RUBYLIB PERLLIB GCONV_PATH OPENSSL_CONF LUA_PATH GIT_EXTERNAL_DIFF GIT_PAGER PAGER \
            MAVEN_OPTS JULIA_LOAD_PATH UV_INDEX_URL IPYTHONDIR ZDOTDIR SHELLOPTS SSLKEYLOGFILE PHPRC \
            GOFLAGS RUSTC_WRAPPER DOTNET_STARTUP_HOOKS GLIBC_TUNABLES MALLOC_CONF BASHOPTS \
            npm_config_registry lessopen XDG_CONFIG_HOME MPLBACKEND TORCH_EXTENSIONS_DIR GRADLE_OPTS \
            SASL_PATH VAULT_TOKEN PGHOST CML_API GTK3_MODULES NCCL_NET_PLUGIN ZIPOPT MAILCAPS MONO_PATH \
            BC_ENV_ARGS ZEPPELIN_CONF_DIR OTEL_PYTHON_CONFIGURATOR OTEL_EXPORTER_OTLP_ENDPOINT \
            OTEL_EXPORTER_OTLP_HEADERS PREFECT_API_URL SENTRY_DSN WERKZEUG_DEBUG_PIN FONTCONFIG_FILE \
            FONTCONFIG_PATH UNZIP SQLPATH PSQLRC JAVACMD MLFLOW_CONDA_CREATE_ENV_CMD TIKA_SERVER_JAR \
            TABULA_JAR FSSPEC_S3 PUBSUB_EMULATOR_HOST MODULEPATH PSMODULEPATH GVBINDIR SOX_OPTS \
            shell_escape openout_any FLEXIBLAS LBT_DEFAULT_LIBS PETSC_OPTIONS MSI_ENDPOINT MC_HOST_x \
            DEBUGINFOD_URLS THEANO_FLAGS MASTER_ADDR DASK_SCHEDULER_ADDRESS SPRING_APPLICATION_JSON \
            DBT_PROFILES_DIR X_SKIP_VERIFY IRBRC RANDFILE GROFF_COMMAND_PREFIX IMAGEIO_FFMPEG_EXE"
        .split_whitespace()
        {
            assert!(is_reserved(name).is_none() && is_newly_reserved(name).is_some(), "{name}");
        }
        for name in
            "PATH IFS ENV PS4 BASH_ENV BASH_FUNC_x PROMPT_COMMAND LD_PRELOAD DYLD_X NODE_OPTIONS \
            CLASSPATH PYTHONSTARTUP GIT_SSH_COMMAND SSH_ASKPASS https_proxy"
                .split_whitespace()
        {
            assert!(is_reserved(name).is_some(), "{name}");
        }
    }

    #[test]
    fn names_that_only_carry_facts_are_free() {
        for name in "GIT_SHA GIT_BRANCH GIT_TAG GIT_REF GIT_REPOSITORY GIT_COMMIT GIT_AUTHOR GIT_AUTHOR_NAME \
            GIT_URL GIT_BEFORE GIT_MESSAGE GITHUB_SHA START_DATE MODEL MODEL_PATH DATASET RUN_ID \
            CUDA_VISIBLE_DEVICES OMP_NUM_THREADS MLFLOW_RUN_ID HF_MODEL_ID RUST_LOG TZ LANG LESSON \
            PAGE LOGLEVEL GOAL TARGET TICKET CONFIG STARTED_BY ASKED_BY PIPELINE PULL_REQUEST \
            TORCH_THREADS SPARKLE KAFKA_TOPIC GCP_PROJECT VERSION COMMAND OTEL_SERVICE_NAME \
            OTEL_RESOURCE_ATTRIBUTES SENTRY_RELEASE SENTRY_ENVIRONMENT DD_VERSION DD_ENV DD_SERVICE \
            MLFLOW_EXPERIMENT_NAME WANDB_PROJECT WANDB_RUN_ID WANDB_TAGS DBT_TARGET SLURM_JOB_ID \
            DATABASE SCHEMA TABLE STAGE REGION MASTER OS_NAME ARGS MAKER IDENTITY PRINT_LEVEL"
        .split_whitespace()
        {
            assert!(
                is_reserved(name).or(is_newly_reserved(name).map(|found| found.0)).is_none(),
                "{name}"
            );
        }
    }

    #[test]
    fn no_name_is_in_a_list_twice_or_covered_by_another() {
        for family in NEWLY_RESERVED {
            assert!(!family.why.is_empty() && !family.names.is_empty());
            for name in family.names() {
                assert_eq!(is_reserved(name), None, "{name}");
                let stars = name.matches('*').count();
                assert!(stars <= 1 && name.to_ascii_uppercase() == name, "{name}");
            }
        }
    }
}
