//! Whether a delivery is a repeat of the one that has its claim.

use std::borrow::Cow;

use crate::model::{ContentDigest, DeliveryId};
use crate::store::NewDelivery;

/// The delivery that has a claim which is in force.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::store) struct Held {
    /// Its id.
    pub(in crate::store) delivery: DeliveryId,
    /// The digest of its content; `None` where an older program kept it.
    pub(in crate::store) digest: Option<ContentDigest>,
    /// Whether its content was erased.
    pub(in crate::store) erased: bool,
}

/// What a delivery is to the one that has its claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::store) enum Told {
    /// A repeat.
    Repeat {
        /// The first delivery.
        first: DeliveryId,
        /// What becomes of the runs of the first that had failed.
        failed: Failed,
    },
    /// Another delivery, to which the sender gave the same id.
    Another(DeliveryId),
}

/// What a repeat does with runs that had failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::store) enum Failed {
    /// They are tried again with the variables that the current routes give.
    Today,
    /// They are tried again with their own variables. It is not known whether the content is the kept one,
    /// and no run is given variables of content that is not kept.
    AsKept,
    /// They are left alone: what they were made of is erased.
    Left,
}

/// Holds a delivery against the one that has its claim. Where that one has no digest, the sender's id is
/// believed.
pub(in crate::store) fn told(held: &Held, digest: &ContentDigest) -> Told {
    let first = held.delivery;
    match held.digest {
        Some(kept) if kept != *digest => Told::Another(first),
        _ if held.erased => Told::Repeat { first, failed: Failed::Left },
        Some(_) => Told::Repeat { first, failed: Failed::Today },
        None => Told::Repeat { first, failed: Failed::AsKept },
    }
}

/// The keys that a delivery may be kept under, in the order in which they are tried. Where another delivery
/// has the first, the content is a part of the second, so that a repeat of this one is recognized too. The
/// third is free, whatever senders choose as ids.
pub(in crate::store) fn keys(delivery: &NewDelivery) -> impl Iterator<Item = Cow<'_, str>> {
    let NewDelivery { id, key, digest, .. } = delivery;
    (0..3).map(move |which| match which {
        0 => Cow::Borrowed(&**key),
        1 => Cow::Owned(format!("{key}#{digest}")),
        _ => Cow::Owned(format!("delivery: {id}")),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const THIS: ContentDigest = ContentDigest::from_bytes([1; 16]);
    const OTHER: ContentDigest = ContentDigest::from_bytes([2; 16]);

    fn held(digest: Option<ContentDigest>, erased: bool) -> Held {
        Held { delivery: DeliveryId::from_bytes([7; 16]), digest, erased }
    }

    #[test]
    fn the_same_id_with_other_content_is_never_a_repeat() {
        for erased in [false, true] {
            let told = told(&held(Some(OTHER), erased), &THIS);
            assert_eq!(told, Told::Another(DeliveryId::from_bytes([7; 16])));
        }
    }

    #[test]
    fn only_known_content_gives_a_run_new_variables() {
        let failed = |held: Held| match told(&held, &THIS) {
            Told::Repeat { failed, .. } => failed,
            Told::Another(_) => panic!("a repeat"),
        };
        assert_eq!(failed(held(Some(THIS), false)), Failed::Today);
        assert_eq!(failed(held(None, false)), Failed::AsKept);
        assert_eq!(failed(held(Some(THIS), true)), Failed::Left);
        assert_eq!(failed(held(None, true)), Failed::Left);
    }
}
