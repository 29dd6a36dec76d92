//! Data and machine learning tools.

pub(super) mod airtable;
pub(super) mod alertmanager;
pub(super) mod databricks;
pub(super) mod dbt_cloud;
pub(super) mod elevenlabs;
pub(super) mod fivetran;
pub(super) mod grafana;
pub(super) mod huggingface;
pub(super) mod mlflow;
pub(super) mod replicate;
pub(super) mod segment;
pub(super) mod typeform;
pub(super) mod wandb;
