//! The address of a job: what the API of its workbench needs to find it.

use std::fmt;

/// A job's address in one kind of job API. The configuration reads it, and the client of that API sends
/// requests to it. Code in between treats it as opaque.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Target {
    /// A job of the Jobs API v1.
    V1 {
        /// The account or team that holds the project.
        owner: String,
        /// The project's short name.
        project: String,
        /// The job's number.
        number: u64,
    },
    /// A job of the API v2. Both ids are opaque.
    V2 {
        /// The project's id.
        project_id: String,
        /// The job's id.
        job_id: String,
    },
}

impl Target {
    /// The name of its API, for messages.
    pub fn api(&self) -> &'static str {
        match self {
            Self::V1 { .. } => "v1",
            Self::V2 { .. } => "v2",
        }
    }

    /// Its parts as text. Together they identify it on its workbench. Processes compare digests of the
    /// parts, so neither the parts nor their order may change.
    pub fn parts(&self) -> Vec<String> {
        match self {
            Self::V1 { owner, project, number } => {
                vec![owner.clone(), project.clone(), number.to_string()]
            }
            Self::V2 { project_id, job_id } => vec![project_id.clone(), job_id.clone()],
        }
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::V1 { owner, project, number } => write!(f, "{owner}/{project} job {number}"),
            Self::V2 { project_id, job_id } => write!(f, "project {project_id} job {job_id}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_is_shown_as_its_workbench_shows_it() {
        let (owner, project) = ("alice".to_owned(), "risk".to_owned());
        let target = Target::V1 { owner, project, number: 208 };
        assert_eq!(target.to_string(), "alice/risk job 208");
        let (project_id, job_id) = ("abcd-1234".to_owned(), "wxyz-5678".to_owned());
        let target = Target::V2 { project_id, job_id };
        assert_eq!(target.to_string(), "project abcd-1234 job wxyz-5678");
    }
}
