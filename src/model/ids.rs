//! Ids of deliveries and runs: version 7 UUIDs, which sort by time.
//!
//! They are built from a time and random bits that the caller passes in. This file reads neither a clock
//! nor random bits.

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(Uuid);

        impl $name {
            /// Makes an id: 48 bits of milliseconds since 1970, then random bits.
            pub fn new(now: Timestamp, random: u128) -> Self {
                Self(version_7(now, random))
            }

            /// The time that it was made with, to the millisecond.
            pub fn made_at(&self) -> Timestamp {
                let [a, b, c, d, e, f, ..] = *self.0.as_bytes();
                let millis = i64::from_be_bytes([0, 0, a, b, c, d, e, f]);
                Timestamp::from_millisecond(millis).unwrap_or_default()
            }

            /// The id as the 16 bytes that a store keeps.
            pub fn as_bytes(&self) -> &[u8; 16] {
                self.0.as_bytes()
            }

            /// The id that a store kept as these bytes.
            pub const fn from_bytes(bytes: [u8; 16]) -> Self {
                Self(Uuid::from_bytes(bytes))
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.hyphenated().fmt(f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.hyphenated().fmt(f)
            }
        }

        impl FromStr for $name {
            type Err = String;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Uuid::parse_str(text).map(Self).map_err(|_| {
                    "this is not an id; write all of it, such as \
                     0193a6f2-2097-73fe-ac93-b02f05d484a3, as the lists show it"
                        .to_owned()
                })
            }
        }
    };
}

id! {
    /// The id of a stored delivery.
    DeliveryId
}
id! {
    /// The id of a run. Jobs see it as `GATEWAY_RUN_ID`; it stays the same for every attempt.
    RunId
}

fn version_7(now: Timestamp, random: u128) -> Uuid {
    let millis = u64::try_from(now.as_millisecond()).unwrap_or(0);
    let mut bytes = random.to_be_bytes();
    bytes[..6].copy_from_slice(&millis.to_be_bytes()[2..]);
    uuid::Builder::from_bytes(bytes)
        .with_variant(uuid::Variant::RFC4122)
        .with_version(uuid::Version::SortRand)
        .into_uuid()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_made_later_sort_later() {
        let earlier = Timestamp::from_millisecond(1_700_000_000_000).expect("in range");
        let later = Timestamp::from_millisecond(1_700_000_000_001).expect("in range");
        assert!(RunId::new(earlier, u128::MAX) < RunId::new(later, 0));
    }

    #[test]
    fn an_id_reads_back_from_its_text() {
        let id = DeliveryId::new(Timestamp::UNIX_EPOCH, 7);
        assert_eq!(id.to_string().parse::<DeliveryId>().expect("its own text"), id);
    }
}
