//! The ways in which a sender that knows several may prove its deliveries.

use std::fmt;
use std::str::FromStr;

/// How a sender proves its deliveries, for providers that leave it to the source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scheme {
    /// The secret in a header or in the address, as provider `token`.
    Token,
    /// User name and password, as provider `basic`.
    Basic,
    /// A signature, as provider `hmac`.
    Hmac,
    /// A token that an issuer signed, as provider `jwt`.
    Jwt,
}

impl Scheme {
    /// Every scheme.
    pub const ALL: [Self; 4] = [Self::Token, Self::Basic, Self::Hmac, Self::Jwt];

    /// Its name in a configuration.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Token => "token",
            Self::Basic => "basic",
            Self::Hmac => "hmac",
            Self::Jwt => "jwt",
        }
    }
}

impl fmt::Display for Scheme {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for Scheme {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|scheme| scheme.as_str() == text)
            .ok_or_else(|| format!("`{text}` is not a scheme; use token, basic, hmac or jwt"))
    }
}
