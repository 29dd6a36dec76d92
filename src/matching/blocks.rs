//! A route with several blocks in `on:`: one that holds is enough, and the explanation says which one it is, or
//! which one came nearest.

use super::test::{Paths, block};
use super::{Miss, On, Takes, UnknownPaths, Words, nearness};
use crate::event::Event;

/// The first block that holds without a doubt, else the first that holds. If none does, the miss of the block
/// that came nearest.
pub(super) fn any_block(
    on: &[On],
    takes: &Takes,
    event: &Event,
    unknown_paths: UnknownPaths,
) -> Result<Paths, Miss> {
    if let [only] = on {
        return block(only, takes, event, unknown_paths);
    }
    let mut doubtful = None;
    let mut nearest: Option<(usize, Miss)> = None;
    for (at, on) in on.iter().enumerate() {
        if !on.sources.contains(&event.source) {
            continue;
        }
        match block(on, takes, event, unknown_paths) {
            Ok(Paths { note: None, hold: None }) => {
                return Ok(Paths { note: Some(by_block(at)), hold: None });
            }
            Ok(found) => doubtful = doubtful.or(Some((at, found))),
            Err(miss) => {
                let near = nearest.as_ref().map(|(_, near)| nearness(near.test));
                if near.is_none_or(|near| near < nearness(miss.test)) {
                    nearest = Some((at, miss));
                }
            }
        }
    }
    if let Some((at, Paths { note, hold })) = doubtful {
        let with_block = |words: String| format!("{}; {words}", by_block(at));
        return Ok(Paths { note: note.map(with_block), hold: hold.map(with_block) });
    }
    Err(match nearest {
        Some((at, Miss { test, words })) => {
            Miss { test, words: Words::OfBlock(at + 1, Box::new(words)) }
        }
        None => {
            Miss { test: "source", words: Words::Fixed("no block of `on` listens to this source") }
        }
    })
}

fn by_block(at: usize) -> String {
    format!("by block {} of `on`", at + 1)
}
