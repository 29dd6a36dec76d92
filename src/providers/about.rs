//! What the documentation says about a provider. `docs/providers.md` is generated from it.

/// What the documentation says about a provider.
#[derive(Debug)]
pub struct About {
    /// The section of the page that it belongs to.
    pub group: Group,
    /// What to do at the sender's side. Each step has one or two sentences.
    pub setup: &'static [&'static str],
    /// An example: the lines below `sources: NAME:`. A test parses them as a configuration.
    pub source: &'static str,
    /// What its events carry: where the kind and the delivery's id are, what is signed, and what is
    /// not signed.
    pub carries: &'static str,
    /// The git facts, claims or command that its events yield. Empty where they yield none.
    pub yields: &'static str,
    /// How well the provider has been verified against the real sender.
    pub proven: Proven,
    /// The documents and sources on which all this is based.
    pub sources: &'static [&'static str],
}

/// A section of the page: senders of one kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Group {
    /// Any sender, chosen by how it signs.
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

/// How well a provider has been verified against the real sender, best first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Proven {
    /// By signatures that the sender, or its own documentation or test suite, has published.
    Literal,
    /// By requests put together from values that the sender has published.
    Assembled,
    /// By signatures that were computed by the documented recipe. They show that the provider agrees
    /// with the documentation, not with a real sender.
    Recomputed,
    /// By its documentation alone.
    Documented,
}

impl Proven {
    /// A sentence fragment for the documentation.
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
