//! Data and machine learning tools.

pub(super) mod mlflow;
