//! What a gateway finds of what its configuration depends on.

use serde::{Deserialize, Serialize};

use crate::checkup::Finding;

/// `GET /api/doctor`
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DoctorView {
    /// Whether everything is as it should be.
    pub good: bool,
    /// Each thing that was checked.
    pub findings: Vec<Finding>,
}
