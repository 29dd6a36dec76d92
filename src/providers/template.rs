//! What a sender signs, as a template with placeholders ("holes"): `{timestamp}.{body}`.

use http::Method;

/// A text with placeholders for parts of a request. The body must be one of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template(Vec<Piece>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Piece {
    Literal(String),
    Hole(Hole),
}

/// A part of the request that a template names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Hole {
    Body,
    Timestamp,
    Id,
    Method,
    Path,
}

/// What the placeholders are filled with.
#[derive(Clone, Copy)]
pub(super) struct Filling<'a> {
    pub(super) method: &'a Method,
    pub(super) path: &'a str,
    pub(super) body: &'a [u8],
    pub(super) timestamp: &'a str,
    pub(super) id: &'a str,
}

impl Default for Template {
    /// The body and nothing else.
    fn default() -> Self {
        Self(vec![Piece::Hole(Hole::Body)])
    }
}

impl Template {
    /// Parses a template.
    ///
    /// # Errors
    /// What is wrong with it: an unknown placeholder, an unmatched brace, or no `{body}`. Without
    /// `{body}`, anyone could put another body under a valid signature.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut pieces = Vec::new();
        let mut rest = text;
        while let Some((literal, after)) = rest.split_once('{') {
            push_literal(&mut pieces, literal)?;
            let (name, after) = after.split_once('}').ok_or("has a `{` that is not closed")?;
            pieces.push(Piece::Hole(hole(name)?));
            rest = after;
        }
        push_literal(&mut pieces, rest)?;
        let template = Self(pieces);
        if template.names(Hole::Body) {
            Ok(template)
        } else {
            Err("does not name {body}".to_owned())
        }
    }

    pub(super) fn names(&self, hole: Hole) -> bool {
        self.0.contains(&Piece::Hole(hole))
    }

    pub(super) fn fill<'a>(&'a self, filling: &Filling<'a>) -> Vec<&'a [u8]> {
        self.0
            .iter()
            .map(|piece| match piece {
                Piece::Literal(text) => text.as_bytes(),
                Piece::Hole(Hole::Body) => filling.body,
                Piece::Hole(Hole::Timestamp) => filling.timestamp.as_bytes(),
                Piece::Hole(Hole::Id) => filling.id.as_bytes(),
                Piece::Hole(Hole::Method) => filling.method.as_str().as_bytes(),
                Piece::Hole(Hole::Path) => filling.path.as_bytes(),
            })
            .collect()
    }
}

fn push_literal(pieces: &mut Vec<Piece>, literal: &str) -> Result<(), String> {
    if literal.contains('}') {
        return Err("has a `}` without a `{`".to_owned());
    }
    if !literal.is_empty() {
        pieces.push(Piece::Literal(literal.to_owned()));
    }
    Ok(())
}

fn hole(name: &str) -> Result<Hole, String> {
    match name {
        "body" => Ok(Hole::Body),
        "timestamp" => Ok(Hole::Timestamp),
        "id" => Ok(Hole::Id),
        "method" => Ok(Hole::Method),
        "path" => Ok(Hole::Path),
        _ => Err(format!(
            "has an unknown hole `{{{name}}}`; it may name body, timestamp, id, method, path"
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn holes_are_filled_in_order() {
        let template = Template::parse("v0:{method} {path}:{id}.{timestamp}{body}").expect("good");
        let filling = Filling {
            method: &Method::POST,
            path: "/hooks/a",
            body: b"b",
            timestamp: "7",
            id: "i",
        };
        assert_eq!(template.fill(&filling).concat(), b"v0:POST /hooks/a:i.7b");
    }

    #[test]
    fn a_template_that_leaves_the_body_out_or_cannot_be_read_is_an_error() {
        for (text, fault) in [
            ("{timestamp}", "does not name {body}"),
            ("", "does not name {body}"),
            ("{body", "has a `{` that is not closed"),
            ("{body}}", "has a `}` without a `{`"),
            (
                "{Body}",
                "has an unknown hole `{Body}`; it may name body, timestamp, id, method, path",
            ),
        ] {
            assert_eq!(Template::parse(text), Err(fault.to_owned()), "{text}");
        }
    }
}
