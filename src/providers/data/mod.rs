//! Data and machine learning tools.

pub(super) mod airbyte;
pub(super) mod airtable;
pub(super) mod alertmanager;
pub(super) mod cvat;
pub(super) mod databricks;
pub(super) mod dbt_cloud;
pub(super) mod elevenlabs;
pub(super) mod fivetran;
pub(super) mod grafana;
pub(super) mod huggingface;
pub(super) mod label_studio;
pub(super) mod labelbox;
pub(super) mod lakefs;
pub(super) mod minio;
pub(super) mod mlflow;
pub(super) mod openmetadata;
pub(super) mod replicate;
pub(super) mod segment;
pub(super) mod typeform;
pub(super) mod wandb;
