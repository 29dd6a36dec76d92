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
}

/// What a delivery is to the one that has its claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::store) enum Told {
    /// A repeat.
    Repeat {
        /// The first delivery.
        first: DeliveryId,
        /// Whether its content is known to be the same.
        same: bool,
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
        kept => Told::Repeat { first, same: kept.is_some() },
    }
}

/// What a repeat does with the failed runs of the first delivery. `erased` says whether the content of that one
/// was erased.
pub(in crate::store) fn failed(same: bool, erased: bool) -> Failed {
    match (erased, same) {
        (true, _) => Failed::Left,
        (false, true) => Failed::Today,
        (false, false) => Failed::AsKept,
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

    const FIRST: DeliveryId = DeliveryId::from_bytes([7; 16]);

    fn told_of(digest: Option<ContentDigest>) -> Told {
        told(&Held { delivery: FIRST, digest }, &THIS)
    }

    #[test]
    fn the_same_id_with_other_content_is_never_a_repeat() {
        assert_eq!(told_of(Some(OTHER)), Told::Another(FIRST));
        assert_eq!(told_of(Some(THIS)), Told::Repeat { first: FIRST, same: true });
        assert_eq!(told_of(None), Told::Repeat { first: FIRST, same: false });
    }

    #[test]
    fn only_known_content_gives_a_run_new_variables() {
        assert_eq!(failed(true, false), Failed::Today);
        assert_eq!(failed(false, false), Failed::AsKept);
        assert_eq!(failed(true, true), Failed::Left);
        assert_eq!(failed(false, true), Failed::Left);
    }
}
