//! Names of variables that this version reserves beside [`RESERVED`](super::reserved::RESERVED). A
//! configuration that was written for an earlier version may use them: `check` refuses them, `serve` accepts
//! them for this version with a warning. The next version moves them to the other list.
//!
//! Each family has the reason: what a sender could do who chooses the value. Names that only carry facts
//! (`GIT_SHA`, `CUDA_VISIBLE_DEVICES`, `OMP_NUM_THREADS`, `MLFLOW_RUN_ID`, `RUST_LOG`) are left free.

use super::reserved::matching;

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

/// The families.
pub const NEWLY_RESERVED: &[Family] = &[
    Family {
        of: "the C library and the loader",
        why: "loads code, or changes how names of hosts and locales are looked up",
        names: "GCONV_PATH GETCONF_DIR GLIBC_TUNABLES LOCPATH MUSL_LOCPATH NLSPATH HOSTALIASES LOCALDOMAIN \
            RES_OPTIONS RESOLV_* NIS_PATH TZDIR LIBPATH SHLIB_PATH LIBRARY_PATH TEXTDOMAINDIR LANGUAGE \
            MALLOC_* JE_MALLOC_CONF MIMALLOC_* TCMALLOC_* *SAN_OPTIONS LIBC_FATAL_STDERR_",
    },
    Family {
        of: "shells",
        why: "runs a file or a command when a shell starts, or changes what scripts mean",
        names: "BASH_* BASHOPTS SHELLOPTS ZDOTDIR FPATH CDPATH GLOBIGNORE EXECIGNORE PS0 PS1 PS2 PS3 PWD \
            OLDPWD POSIXLY_CORRECT INPUTRC FCEDIT HISTFILE KSH_* FISH_* MAILPATH TERMINFO* TERMCAP \
            TERMPATH SUDO_* TMP TEMP",
    },
    Family {
        of: "pagers, editors and browsers",
        why: "names a command that other programs run",
        names: "PAGER *_PAGER MANPAGER EDITOR *_EDITOR VISUAL BROWSER LESS LESSOPEN LESSCLOSE LESSKEY* \
            LESSEDIT MOST_INITFILE VIMINIT EXINIT GVIMINIT MYVIMRC VIMRUNTIME NVIM_* EMACSLOADPATH \
            EMACSDATA EMACSPATH RIPGREP_CONFIG_PATH FZF_* BAT_CONFIG_* BAT_OPTS ACKRC SCREENRC TMUX*",
    },
    Family {
        of: "git and other version control",
        why: "runs a command, or reads or writes another repository",
        names: "GIT_DIR GIT_WORK_TREE GIT_INDEX_FILE GIT_OBJECT_DIRECTORY GIT_ALTERNATE_OBJECT_DIRECTORIES \
            GIT_COMMON_DIR GIT_NAMESPACE GIT_CEILING_DIRECTORIES GIT_DISCOVERY_ACROSS_FILESYSTEM \
            GIT_TEMPLATE_DIR GIT_EXTERNAL_DIFF GIT_DIFF_OPTS GIT_PAGER* GIT_EDITOR GIT_SEQUENCE_EDITOR \
            GIT_ALLOW_PROTOCOL GIT_PROTOCOL* GIT_SSL_* GIT_HTTP_* GIT_PROXY_* GIT_TRACE* GIT_REDIRECT_* \
            GIT_ATTR_* GIT_CREDENTIAL* GIT_LFS_* GIT_TERMINAL_PROMPT GIT_GRAFT_FILE GIT_SHALLOW_FILE \
            GIT_REPLACE_REF_BASE GIT_NO_REPLACE_OBJECTS GIT_CLONE_PROTECTION_ACTIVE GIT_TEXTDOMAINDIR \
            GIT_INTERNAL_* GIT_TEST_* GIT_MERGE_VERBOSITY GIT_COOKIE* GIT_CURL_* GIT_PREFIX \
            GIT_QUARANTINE_PATH GIT_PUSH_CERT* SVN_* HG HGRCPATH HGEDITOR HGMERGE HGPLAIN* CVS_* CVSROOT \
            BZR_* P4CONFIG P4EDITOR P4PORT PRE_COMMIT_* RSYNC_*",
    },
    Family {
        of: "Python and its tools",
        why: "loads modules, or takes packages from another place",
        names: "IPYTHON* JPY_* PYTEST_* COVERAGE_* PYDEVD_* DEBUGPY_* VIRTUAL_ENV* VIRTUALENV* WORKON_HOME \
            PYENV_* POETRY_* PIPENV_* PIPX_* PDM_* UV_* RYE_* HATCH_* PIXI_* TWINE_* SETUPTOOLS_* \
            DISTUTILS_* MAMBA_* MAMBARC CONDARC _CONDA_* MPLBACKEND MPLCONFIGDIR MATPLOTLIBRC \
            NUMBA_CACHE_DIR NUMBA_CUDA_DRIVER NLTK_DATA DASK_CONFIG DASK_ROOT_CONFIG RAY_* AIRFLOW_* \
            DJANGO_SETTINGS_MODULE FLASK_* GUNICORN_CMD_ARGS CELERY_* PEX_* SCRAPY_*",
    },
    Family {
        of: "machine learning libraries",
        why: "loads libraries, kernels or models from another place",
        names: "CUDA_INJECTION* CUDA_CACHE_PATH CUDA_HOME CUDA_PATH NVTX_INJECTION* NVCC_* NCCL_NET_PLUGIN \
            NCCL_TUNER_PLUGIN NCCL_PROFILER_PLUGIN NCCL_CONF_FILE UCX_MODULE_DIR OMPI_* PMIX_* PRTE_* \
            OMP_TOOL* OCL_ICD_* OPENCL_* VK_* HSA_TOOLS_* ROCP_* TF_PLUGGABLE_* PJRT_* TPU_LIBRARY_PATH \
            XLA_FLAGS LIBTPU_* TORCH_HOME TORCH_EXTENSIONS_DIR TORCH_DEVICE_BACKEND_AUTOLOAD \
            TORCHINDUCTOR_* TORCHDYNAMO_* TRITON_* KERAS_HOME KERAS_BACKEND TFHUB_* HF_HOME HF_ENDPOINT \
            HF_TOKEN* HF_HUB_* HF_MODULES_CACHE HF_DATASETS_* HUGGINGFACE_HUB_* HUGGING_FACE_HUB_* \
            TRANSFORMERS_* SENTENCE_TRANSFORMERS_HOME MLFLOW_TRACKING_* MLFLOW_REGISTRY_URI MLFLOW_S3_* \
            WANDB_API_KEY WANDB_BASE_URL WANDB_DIR OPENAI_* ANTHROPIC_*",
    },
    Family {
        of: "R and Julia",
        why: "loads code when the language starts, or takes packages from another place",
        names: "RENV_* RSTUDIO_* RETICULATE_* RSCRIPT_* JULIA_*",
    },
    Family {
        of: "Ruby, Perl, Lua and PHP",
        why: "loads code when the language starts",
        names: "RUBYLIB RUBYSHELL RUBYPATH RUBY_* GEM_* BUNDLE_* BUNDLER_* PERL* LUA_* LUAJIT_* LUAROCKS_* \
            PHPRC PHP_INI_* COMPOSER_*",
    },
    Family {
        of: "JavaScript runtimes",
        why: "loads code, or takes packages from another place",
        names: "NPM_* PNPM_* NVM_* BUN_* DENO_* TS_NODE_* COREPACK_* ELECTRON_*",
    },
    Family {
        of: "the Java virtual machine and its tools",
        why: "adds options or agents, or takes packages from another place",
        names: "*JAVA_OPTIONS *JAVA_OPTS JDK_* JRE_* JVM_* MAVEN_* M2_HOME GRADLE_* ANT_* SBT_* IVY_HOME \
            COURSIER_* GROOVY_* KOTLIN_* JPDA_* CATALINA_* KAFKA_OPTS KAFKA_HEAP_OPTS KAFKA_JMX_OPTS \
            KAFKA_LOG4J_OPTS LOG4J_*",
    },
    Family {
        of: "Go, Rust, .NET and other languages",
        why: "loads code, runs another compiler, or takes packages from another place",
        names: "GOPATH GOROOT GOFLAGS GOPROXY GONOPROXY GOSUMDB GONOSUMDB GONOSUMCHECK GOPRIVATE GOINSECURE \
            GOENV GOTOOLCHAIN GOTOOLDIR GOCACHE GOCACHEPROG GOMODCACHE GOBIN GOVCS GOAUTH GOWORK GODEBUG \
            GOTMPDIR GCCGO* CGO_* CARGO_* RUSTC* RUSTFLAGS RUSTDOC* RUSTUP_* DOTNET_* COMPLUS_* \
            CORECLR_* COR_PROFILER* COR_ENABLE_PROFILING NUGET_* MSBUILD* ASPNETCORE_* ERL_* ERLANG_* \
            ELIXIR_* MIX_ENV MIX_HOME MIX_ARCHIVES GHC* CABAL_* OCAML* CAML* TCLLIBPATH TCL_LIBRARY \
            TK_LIBRARY GUILE_* AWKPATH AWKLIBPATH OCTAVE_* MATLABPATH",
    },
    Family {
        of: "compilers and build tools",
        why: "names a command that is run, or changes what is built",
        names: "CC CXX CPP LD CFLAGS CPPFLAGS CXXFLAGS LDFLAGS CPATH *_INCLUDE_PATH COMPILER_PATH GCC_* \
            MAKEFLAGS GNUMAKEFLAGS MFLAGS MAKEFILES CMAKE_* PKG_CONFIG* CCACHE_* DISTCC_* BAZEL*",
    },
    Family {
        of: "TLS and certificates",
        why: "loads code, trusts other certificates, or writes session keys to a file",
        names: "OPENSSL_* SSLKEYLOGFILE SSL_* GNUTLS_* NSS_* P11_KIT_* PKCS11_* *_CA_BUNDLE *CA_CERTS \
            *_CA_FILE *_CA_PATH NIX_SSL_CERT_FILE GRPC_* QLOGDIR",
    },
    Family {
        of: "clients of the network",
        why: "changes where requests go, or which credentials they carry",
        names: "CURL_* WGETRC SYSTEM_WGETRC NETRC HTTPIE_* PROXYCHAINS_* TSOCKS_* LDAP* GNUPGHOME GPG_* \
            SOPS_* PASSWORD_STORE_*",
    },
    Family {
        of: "databases",
        why: "changes where data is read and written, or loads a driver",
        names: "PGHOST PGHOSTADDR PGPORT PGUSER PGPASSWORD PGPASSFILE PGSERVICE PGSERVICEFILE PGSYSCONFDIR \
            PGOPTIONS PGSSL* MYSQL_* LIBMYSQL_* MARIADB_* ODBC* TNS_ADMIN ORACLE_HOME TWO_TASK \
            SNOWFLAKE_* DATABRICKS_* SQLITE_HISTORY HDF5_PLUGIN_PATH GDAL_DRIVER_PATH \
            GDAL_PYTHON_DRIVER_PATH GDAL_VRT_*",
    },
    Family {
        of: "Hadoop, Spark and Kerberos",
        why: "changes the cluster, the identity, or the options of a virtual machine",
        names: "MAPRED_* HBASE_* HCAT_* IMPALA_* SQOOP_* OOZIE_* PIG_HOME PIG_OPTS PIG_CLASSPATH TEZ_* \
            FLINK_* LIVY_* KUDU_HOME OZONE_CONF_DIR OZONE_OPTS OZONE_CLASSPATH ATLAS_CONF ZOOCFG* \
            ARROW_LIBHDFS* LIBHDFS* TOREE_* KRB_* GSS_* GSSAPI_* SASL_*",
    },
    Family {
        of: "clouds and their tools",
        why: "changes the account, the credentials or the address of a service",
        names: "GCLOUD_* CLOUDSDK_* GCE_METADATA_* BOTO_* ARM_CLIENT_* ARM_TENANT_ID ARM_SUBSCRIPTION_ID \
            ARM_ACCESS_KEY ARM_OIDC_* ARM_USE_* OCI_CLI_* IBMCLOUD_* ALIBABA_CLOUD_* ALICLOUD_* \
            DIGITALOCEAN_* VAULT_* CONSUL_* NOMAD_* KUBECONFIG KUBE_* HELM_* DOCKER_* CONTAINER_HOST \
            CONTAINERS_* BUILDKIT_* PODMAN_* TF_CLI_* TF_DATA_DIR TF_PLUGIN_* TF_REATTACH_PROVIDERS \
            TERRAFORM_CONFIG PULUMI_* ANSIBLE_* MINIO_* S3_ENDPOINT* RCLONE_* GITHUB_TOKEN GH_TOKEN \
            GH_HOST GH_CONFIG_DIR GITLAB_TOKEN CI_JOB_TOKEN",
    },
    Family {
        of: "the workbench",
        why: "belongs to the platform that runs the job",
        names: "CML_* CDP_* CDV_*",
    },
    Family {
        of: "the system's services and the desktop",
        why: "loads modules, or reads the settings of other programs from another place",
        names: "XDG_* DBUS_* DISPLAY XAUTHORITY WAYLAND_* GTK3_MODULES GTK2_MODULES GTK_* QT_* QML* GIO_* \
            GI_TYPELIB_PATH GST_* GDK_PIXBUF_* MAGICK_* GS_LIB GS_OPTIONS TEXINPUTS TEXMF* LISTEN_FDS* \
            LISTEN_PID NOTIFY_SOCKET CREDENTIALS_DIRECTORY GREP_OPTIONS TAR_OPTIONS GZIP XZ_OPT \
            XZ_DEFAULTS APT_CONFIG DEBCONF_* DPKG_* RPM_* HOMEBREW_* NIX_* GUIX_* ASDF_* MISE_* DIRENV_*",
    },
];

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
            SASL_PATH VAULT_TOKEN PGHOST CML_API GTK3_MODULES NCCL_NET_PLUGIN"
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
            TORCH_THREADS SPARKLE KAFKA_TOPIC GCP_PROJECT VERSION COMMAND"
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
