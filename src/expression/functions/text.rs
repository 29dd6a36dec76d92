//! The functions on text and lists. Positions in a text are counted in characters.

use super::Call;
use crate::expression::fault::{EvaluationFault, EvaluationFaultKind};
use crate::model::Value;

type Outcome = Result<Value, EvaluationFault>;

impl Call<'_> {
    pub(super) fn size(&mut self) -> Outcome {
        let size = match self.argument(0) {
            Value::Text(_) => self.text(0)?.chars().count(),
            Value::List(values) => values.len(),
            Value::Map(object) => object.len(),
            other => return Err(self.unfit(other, "text, a list or a map")),
        };
        Ok(count(size))
    }

    pub(super) fn contains(&mut self) -> Outcome {
        let (text, part) = (self.text(0)?, self.text(1)?);
        Ok(Value::Bool(text.contains(part)))
    }

    pub(super) fn starts_with(&mut self) -> Outcome {
        let start = self.text(1)?;
        let text = self.argument(0);
        let text = text.as_str().ok_or_else(|| self.unfit(text, "text"))?;
        Ok(Value::Bool(text.starts_with(start)))
    }

    pub(super) fn ends_with(&mut self) -> Outcome {
        let end = self.text(1)?;
        let text = self.argument(0);
        let text = text.as_str().ok_or_else(|| self.unfit(text, "text"))?;
        Ok(Value::Bool(text.ends_with(end)))
    }

    pub(super) fn lower(&mut self) -> Outcome {
        let text = self.text(0)?;
        self.meter.build(text.len())?;
        Ok(Value::from(text.to_ascii_lowercase()))
    }

    pub(super) fn upper(&mut self) -> Outcome {
        let text = self.text(0)?;
        self.meter.build(text.len())?;
        Ok(Value::from(text.to_ascii_uppercase()))
    }

    pub(super) fn trim(&mut self) -> Outcome {
        let text = self.text(0)?.trim();
        self.piece(text)
    }

    pub(super) fn replace(&mut self) -> Outcome {
        let (text, old, new) = (self.text(0)?, self.text(1)?, self.text(2)?);
        let most = match self.number(3)? {
            Some(most) => usize::try_from(most).unwrap_or(usize::MAX),
            None => usize::MAX,
        };
        let mut found = 0usize;
        for _ in text.matches(old).take(most) {
            self.meter.work(1)?;
            found += 1;
        }
        let grown = text.len().saturating_add(found.saturating_mul(new.len()));
        self.meter.build(grown)?;
        Ok(Value::from(text.replacen(old, new, most)))
    }

    pub(super) fn split(&mut self) -> Outcome {
        let (text, separator) = (self.text(0)?, self.text(1)?);
        let most = match self.number(2)? {
            Some(most) => usize::try_from(most).unwrap_or(usize::MAX),
            None => usize::MAX,
        };
        let mut pieces = Vec::new();
        if separator.is_empty() {
            return self.characters(text, most);
        }
        for piece in text.splitn(most, separator) {
            self.meter.work(1)?;
            self.meter.build_list(1)?;
            pieces.push(self.piece(piece)?);
        }
        Ok(Value::list(pieces))
    }

    /// Splits between all characters. The last piece is the remaining text.
    fn characters(&mut self, text: &str, most: usize) -> Outcome {
        let mut pieces = Vec::new();
        let mut rest = text;
        while !rest.is_empty() && pieces.len() < most {
            let width = rest.chars().next().map_or(0, char::len_utf8);
            let last = pieces.len() + 1 == most;
            let (piece, after) = rest.split_at(if last { rest.len() } else { width });
            self.meter.work(1)?;
            self.meter.build_list(1)?;
            pieces.push(self.piece(piece)?);
            rest = after;
        }
        Ok(Value::list(pieces))
    }

    pub(super) fn join(&mut self) -> Outcome {
        let list = self.argument(0);
        let values = list.as_list().ok_or_else(|| self.unfit(list, "a list"))?;
        let separator = if self.arguments.len() > 1 { self.text(1)? } else { "" };
        let mut text = String::new();
        for (index, value) in values.iter().enumerate() {
            let piece = value.as_str().ok_or_else(|| self.unfit(value, "a list of text"))?;
            self.meter.work(1)?;
            self.meter.build(piece.len() + separator.len())?;
            text.push_str(if index > 0 { separator } else { "" });
            text.push_str(piece);
        }
        Ok(Value::from(text))
    }

    pub(super) fn substring(&mut self) -> Outcome {
        let text = self.text(0)?;
        let (start, end) = (self.number(1)?.unwrap_or(0), self.number(2)?);
        if end.is_some_and(|end| end < start) {
            return Err(self.bad_value("the start lies after the end"));
        }
        let start = self.position_or_end(text, start)?;
        let end = end.map_or(Ok(text.len()), |end| self.position_or_end(text, end))?;
        self.piece(text.get(start..end).unwrap_or_default())
    }

    /// The first characters of a text, or all of a shorter one.
    pub(super) fn truncate(&mut self) -> Outcome {
        let text = self.text(0)?;
        let most = self.number(1)?.unwrap_or(0);
        let end = self.position_or_end(text, most)?;
        self.piece(&text[..end])
    }

    /// The first or the last element of a list. An empty list has none, as a field may be missing.
    pub(super) fn end_of_list(&mut self, first: bool) -> Outcome {
        let list = self.argument(0);
        let values = list.as_list().ok_or_else(|| self.unfit(list, "a list"))?;
        let found = if first { values.first() } else { values.last() };
        let found = found.cloned().ok_or_else(|| {
            let message = format!("`{}`: the list is empty", self.function.name());
            EvaluationFault::new(EvaluationFaultKind::Missing, message)
        })?;
        self.meter.build(size_of::<Value>())?;
        Ok(found)
    }

    pub(super) fn index_of(&mut self) -> Outcome {
        let (text, part) = (self.text(0)?, self.text(1)?);
        let from = self.number(2)?.unwrap_or(0);
        let from = self.position(text, from)?;
        let found = text[from..].find(part).map(|at| from + at);
        Ok(index(text, found))
    }

    pub(super) fn last_index_of(&mut self) -> Outcome {
        let (text, part) = (self.text(0)?, self.text(1)?);
        Ok(index(text, text.rfind(part)))
    }

    pub(super) fn char_at(&mut self) -> Outcome {
        let text = self.text(0)?;
        let at = self.number(1)?.unwrap_or(0);
        let at = self.position(text, at)?;
        let width = text[at..].chars().next().map_or(0, char::len_utf8);
        self.piece(&text[at..at + width])
    }

    /// The byte offset of the character with this number. The end of the text is allowed too.
    fn position(&self, text: &str, number: i64) -> Result<usize, EvaluationFault> {
        let mut starts = text.char_indices().map(|(at, _)| at).chain([text.len()]);
        let found = usize::try_from(number).ok().and_then(|number| starts.nth(number));
        found.ok_or_else(|| self.bad_value("the index lies outside of the text"))
    }

    /// Like [`Self::position`], but what lies behind the end of the text is its end.
    fn position_or_end(&self, text: &str, number: i64) -> Result<usize, EvaluationFault> {
        let number =
            usize::try_from(number).map_err(|_| self.bad_value("the index is below zero"))?;
        Ok(text.char_indices().nth(number).map_or(text.len(), |(at, _)| at))
    }

    fn piece(&mut self, text: &str) -> Outcome {
        self.meter.build(text.len())?;
        Ok(Value::text(text))
    }
}

fn index(text: &str, found: Option<usize>) -> Value {
    found.map_or(Value::Int(-1), |at| count(text[..at].chars().count()))
}

fn count(number: usize) -> Value {
    Value::from(number as u64)
}
