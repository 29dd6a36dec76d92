//! What people must know of a provider: from it, `docs/providers.md` is made.

/// What the documentation says of a provider.
#[derive(Debug)]
pub struct About {
    /// The part of the page that it stands in.
    pub group: Group,
    /// What to do at the sender's side, a sentence or two a step.
    pub setup: &'static [&'static str],
    /// The lines below `sources: NAME:`. They are checked as a configuration is.
    pub source: &'static str,
    /// What its events carry: where the kind and the delivery's id are, what is signed, and what
    /// is not.
    pub carries: &'static str,
    /// The git facts, claims or command that its events yield; empty where they yield none.
    pub yields: &'static str,
    /// How far it is proven.
    pub proven: Proven,
    /// Where that is documented.
    pub sources: &'static [&'static str],
}

/// Senders that have something in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Group {
    /// Any sender, by how it signs.
    Generic,
    /// Forges, continuous integration, registries.
    Forges,
    /// Data and machine learning tools.
    Data,
    /// Chat.
    Chat,
    /// Everything else.
    Saas,
}

impl Group {
    /// Every group, in the order of the page.
    pub const ALL: [Self; 5] = [Self::Generic, Self::Forges, Self::Data, Self::Chat, Self::Saas];

    /// Its title.
    pub fn title(self) -> &'static str {
        match self {
            Self::Generic => "Any sender",
            Self::Forges => "Forges, CI and registries",
            Self::Data => "Data and machine learning tools",
            Self::Chat => "Chat",
            Self::Saas => "Other services",
        }
    }
}

/// How far a provider is proven, best first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Proven {
    /// By signatures that the sender, or its own documentation or test suite, has written down.
    Literal,
    /// By requests put together from such values.
    Assembled,
    /// By signatures computed by the documented recipe: they agree with the documentation, not
    /// with a real sender.
    Recomputed,
    /// By its documentation alone.
    Documented,
}

impl Proven {
    /// In words.
    pub fn words(self) -> &'static str {
        match self {
            Self::Literal => "signatures published by the sender are verified in the tests",
            Self::Assembled => {
                "requests put together from values published by the sender are verified in the tests"
            }
            Self::Recomputed => {
                "signatures computed by the sender's documented recipe are verified in the tests; \
                 no published one was found"
            }
            Self::Documented => "by documentation only; no request of the sender was at hand",
        }
    }
}
