//! The names that an expression may use, so that a misspelt name is found before any payload
//! arrives.

/// The known top-level names, some of them with a list of all their fields.
#[derive(Clone, Debug, Default)]
pub struct Vocabulary {
    names: Vec<(&'static str, Fields)>,
}

#[derive(Clone, Debug)]
enum Fields {
    Open,
    Closed(&'static [&'static str]),
}

impl Vocabulary {
    /// A vocabulary without names.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a name with any fields: the payload decides which it has.
    #[must_use]
    pub fn open(mut self, name: &'static str) -> Self {
        self.names.push((name, Fields::Open));
        self
    }

    /// Adds a name that has only these fields. A field of a field is written with dots, as in
    /// `pull_request.number`. A field without such a list may have any fields.
    #[must_use]
    pub fn closed(mut self, name: &'static str, fields: &'static [&'static str]) -> Self {
        self.names.push((name, Fields::Closed(fields)));
        self
    }

    /// The top-level name, as stored here, if it is known.
    pub(super) fn find(&self, name: &str) -> Option<&'static str> {
        self.entry(name).map(|(known, _)| *known)
    }

    /// All top-level names.
    pub(super) fn names(&self) -> impl Iterator<Item = &'static str> {
        self.names.iter().map(|(name, _)| *name)
    }

    /// The fields that are allowed below this path. `None` if any field is.
    pub(super) fn fields_below(&self, path: &[&str]) -> Option<Vec<&'static str>> {
        let (name, inner) = path.split_first()?;
        let (_, Fields::Closed(fields)) = self.entry(name)? else {
            return None;
        };
        let mut below: Vec<_> =
            fields.iter().filter_map(|field| segment_below(field, inner)).collect();
        below.dedup();
        (inner.is_empty() || !below.is_empty()).then_some(below)
    }

    /// The full path of a known field, such as `git.branch` for `branch`.
    pub(super) fn owner_of(&self, field: &str) -> Option<String> {
        self.names.iter().find_map(|(name, fields)| match fields {
            Fields::Closed(fields) if fields.contains(&field) => Some(format!("{name}.{field}")),
            _ => None,
        })
    }

    fn entry(&self, name: &str) -> Option<&(&'static str, Fields)> {
        self.names.iter().find(|(known, _)| *known == name)
    }
}

/// The next segment of a dotted field that begins with this path.
fn segment_below(field: &'static str, path: &[&str]) -> Option<&'static str> {
    let mut segments = field.split('.');
    let starts_so = path.iter().all(|segment| segments.next() == Some(*segment));
    if starts_so { segments.next() } else { None }
}

/// The candidate that is most similar to a misspelt name, if any is similar.
pub(super) fn closest<'a>(
    name: &str,
    candidates: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    let likeness = |candidate: &str| {
        strsim::jaro_winkler(&name.to_ascii_lowercase(), &candidate.to_ascii_lowercase())
    };
    candidates
        .into_iter()
        .map(|candidate| (likeness(candidate), candidate))
        .filter(|(likeness, _)| *likeness > 0.8)
        .max_by(|one, other| one.0.total_cmp(&other.0))
        .map(|(_, candidate)| candidate)
}
