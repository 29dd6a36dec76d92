//! Text with `${{ … }}` holes, each of which is an expression. The values of variables are such
//! texts.

use std::fmt::{self, Write};

use cel::parser::pratt_parser::{Lexer, TokenKind};

use super::evaluate::Evaluator;
use super::fault::{EvaluationFault, EvaluationFaultKind, ExpressionFault};
use super::{Context, Expression, Vocabulary};

/// The start of a hole.
const OPEN: &str = "${{";
/// How to write the start of a hole as plain text.
const ESCAPED: &str = "$${{";
/// The longest template, in bytes.
const MAX_SOURCE: usize = 64 * 1024;
/// The largest size to which a text that is too long is measured, in bytes.
const MAX_MEASURED: usize = 1 << 20;

/// Text with holes, parsed and checked.
#[derive(Clone, Debug, PartialEq)]
pub struct Template {
    parts: Vec<Part>,
}

#[derive(Clone, Debug, PartialEq)]
enum Part {
    Literal(Box<str>),
    Hole(Hole),
}

/// One hole of a template.
#[derive(Clone, Debug, PartialEq)]
pub struct Hole {
    /// The byte offset in the template at which the expression's text starts.
    pub offset: usize,
    /// The expression whose value fills the hole.
    pub expression: Expression,
}

impl Template {
    /// Parses and checks a text with holes. On failure it returns the faults of all holes, with
    /// offsets in the template's text. `$${{` stands for a literal `${{`.
    pub fn compile(source: &str, names: &Vocabulary) -> Result<Self, Vec<ExpressionFault>> {
        if source.len() > MAX_SOURCE {
            let message = format!("the text is longer than {MAX_SOURCE} bytes");
            return Err(vec![ExpressionFault::new(0, source.len(), message)]);
        }
        let mut builder = Builder {
            source,
            names,
            literal: String::new(),
            parts: Vec::new(),
            faults: Vec::new(),
        };
        builder.read();
        match builder.faults.is_empty() {
            true => Ok(Self { parts: builder.parts }),
            false => Err(builder.faults),
        }
    }

    /// The text with its holes filled. A hole whose value is missing or null is a fault of kind
    /// [`EvaluationFaultKind::Missing`]. A text of more than `max_bytes` is a fault of kind
    /// [`EvaluationFaultKind::TooLong`]. All holes share one budget.
    pub fn render(&self, context: &Context, max_bytes: usize) -> Result<String, EvaluationFault> {
        self.write(context, Bounded::new(max_bytes, false))
    }

    /// The text like [`Template::render`], cut to `max_bytes` at the end of a character where it is longer.
    pub fn render_cut(
        &self,
        context: &Context,
        max_bytes: usize,
    ) -> Result<String, EvaluationFault> {
        self.write(context, Bounded::new(max_bytes, true))
    }

    fn write(&self, context: &Context, mut out: Bounded) -> Result<String, EvaluationFault> {
        let mut evaluator = Evaluator::new(context);
        let mut offset = 0;
        for part in &self.parts {
            let written = match part {
                Part::Literal(text) => out.write_str(text),
                Part::Hole(hole) => {
                    offset = hole.offset;
                    let value = evaluator.run_to_value(&hole.expression.root);
                    let value = value.map_err(|fault| {
                        let within = fault.offset;
                        fault.at(offset + within)
                    })?;
                    value.write_text(&mut out)
                }
            };
            // A hole behind the cut is still read: a value that is missing is missed all the same.
            if written.is_err() && !out.cuts {
                break;
            }
        }
        out.finish().map_err(|fault| fault.at(offset))
    }

    /// Whether the holes could be filled so that this text comes out: its fixed parts stand in the text, in
    /// their order, at the start and at the end where no hole does.
    pub fn could_be(&self, text: &str) -> bool {
        let mut rest = text;
        let mut after_hole = false;
        let last = self.parts.len().wrapping_sub(1);
        for (place, part) in self.parts.iter().enumerate() {
            let Part::Literal(literal) = part else {
                after_hole = true;
                continue;
            };
            // The first place is the best one: it leaves the most to the parts that follow.
            let found = match (after_hole, place == last) {
                (true, true) => return rest.ends_with(&**literal),
                (true, false) => rest.split_once(&**literal).map(|(_, rest)| rest),
                (false, _) => rest.strip_prefix(&**literal),
            };
            let Some(found) = found else { return false };
            (rest, after_hole) = (found, false);
        }
        after_hole || rest.is_empty()
    }

    /// Whether the holes could be filled so that the whole text begins with this one, as far as the fixed part
    /// at the start tells.
    pub fn could_begin(&self, text: &str) -> bool {
        match self.parts.first() {
            Some(Part::Literal(literal)) if self.parts.len() == 1 => literal.starts_with(text),
            Some(Part::Literal(literal)) => {
                literal.starts_with(text) || text.starts_with(&**literal)
            }
            Some(Part::Hole(_)) => true,
            None => text.is_empty(),
        }
    }

    /// Whether the text has no hole.
    pub fn is_literal(&self) -> bool {
        self.holes().next().is_none()
    }

    /// The holes, in the order of the text.
    pub fn holes(&self) -> impl Iterator<Item = &Hole> {
        self.parts.iter().filter_map(|part| match part {
            Part::Hole(hole) => Some(hole),
            Part::Literal(_) => None,
        })
    }
}

struct Builder<'a> {
    source: &'a str,
    names: &'a Vocabulary,
    literal: String,
    parts: Vec<Part>,
    faults: Vec<ExpressionFault>,
}

impl Builder<'_> {
    fn read(&mut self) {
        let mut at = 0;
        while let Some(found) = self.source[at..].find(OPEN) {
            let open = at + found;
            if open > at && self.source[..open + OPEN.len()].ends_with(ESCAPED) {
                self.literal.push_str(&self.source[at..open - 1]);
                self.literal.push_str(OPEN);
                at = open + OPEN.len();
                continue;
            }
            self.literal.push_str(&self.source[at..open]);
            let inside = open + OPEN.len();
            let Some(end) = end_of_hole(&self.source[inside..]) else {
                let hint = "close it with `}}`".to_owned();
                let fault = ExpressionFault::new(open, OPEN.len(), "this hole is not closed");
                self.faults.push(fault.hint(hint));
                return;
            };
            self.hole(inside, inside + end);
            at = inside + end + 2;
        }
        self.literal.push_str(&self.source[at..]);
        self.end_literal();
    }

    fn hole(&mut self, start: usize, end: usize) {
        self.end_literal();
        match Expression::compile(&self.source[start..end], self.names) {
            Ok(expression) => self.parts.push(Part::Hole(Hole { offset: start, expression })),
            Err(faults) => self.faults.extend(faults.into_iter().map(|mut fault| {
                fault.offset += start;
                fault
            })),
        }
    }

    fn end_literal(&mut self) {
        if !self.literal.is_empty() {
            let literal = std::mem::take(&mut self.literal);
            self.parts.push(Part::Literal(literal.into()));
        }
    }
}

/// The offset of the `}}` that ends a hole. It is not inside a text literal, and it is not the end
/// of two maps. If the hole cannot be split into tokens, it ends at the first `}}`, so that its own
/// fault is reported.
fn end_of_hole(text: &str) -> Option<usize> {
    let mut lexer = Lexer::new(text);
    let mut open = 0usize;
    loop {
        let token = lexer.lex();
        match token.kind {
            TokenKind::TokLeftBrace => open += 1,
            TokenKind::TokRightBrace if open > 0 => open -= 1,
            TokenKind::TokRightBrace if text[token.start..].starts_with("}}") => {
                return Some(token.start);
            }
            TokenKind::TokError | TokenKind::TokEnd => return text.find("}}"),
            _ => {}
        }
    }
}

/// Keeps text up to a limit, and then only counts its length, up to [`MAX_MEASURED`].
struct Bounded {
    text: String,
    size: usize,
    limit: usize,
    /// Whether a longer text is cut, and no fault.
    cuts: bool,
}

impl Bounded {
    fn new(limit: usize, cuts: bool) -> Self {
        Self { text: String::new(), size: 0, limit, cuts }
    }

    fn finish(self) -> Result<String, EvaluationFault> {
        if self.size <= self.limit || self.cuts {
            return Ok(self.text);
        }
        let more = if self.size > MAX_MEASURED { "more than " } else { "" };
        let size = self.size.min(MAX_MEASURED);
        let message =
            format!("the text is {more}{size} bytes long, and {} are allowed", self.limit);
        Err(EvaluationFault::new(EvaluationFaultKind::TooLong, message))
    }
}

impl Write for Bounded {
    fn write_str(&mut self, piece: &str) -> fmt::Result {
        if self.cuts && self.size.saturating_add(piece.len()) > self.limit {
            // What was cut once takes nothing more, not even a shorter piece.
            let room = self.limit.saturating_sub(self.size);
            let end = (0..=room).rev().find(|end| piece.is_char_boundary(*end)).unwrap_or(0);
            self.text.push_str(&piece[..end]);
            self.size = self.limit;
            self.limit = self.text.len();
            return Err(fmt::Error);
        }
        self.size = self.size.saturating_add(piece.len());
        if self.size <= self.limit {
            self.text.push_str(piece);
        } else if self.size > MAX_MEASURED {
            return Err(fmt::Error);
        }
        Ok(())
    }
}
