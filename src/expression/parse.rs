//! Parses text into the CEL library's syntax tree, with a position for every node.
//!
//! The library's parser is recursive, and so is dropping its trees. So the tokens are counted
//! first, and a text that could nest too deeply is not parsed.

use cel::common::ast::{IdedExpr, SourceInfo};
use cel::parser::pratt_parser::{Lexer, Token, TokenKind};
use cel::parser::{ParseError, ParseErrors, PrattParser};

use super::fault::ExpressionFault;
use super::foreign;

/// The longest expression, in bytes.
const MAX_SOURCE: usize = 2048;
/// The largest number of tokens in an expression. The tree cannot have more nodes.
const MAX_TOKENS: usize = 500;
/// The largest number of brackets that are open at once.
const MAX_BRACKETS: usize = 32;

/// A syntax tree, and the place of each of its nodes.
pub(super) struct Parsed<'s> {
    source: &'s str,
    pub(super) root: IdedExpr,
    tokens: Vec<Token>,
    positions: Option<std::sync::Arc<SourceInfo>>,
}

/// Parses an expression.
pub(super) fn parse(source: &str) -> Result<Parsed<'_>, Vec<ExpressionFault>> {
    let tokens = measure(source).map_err(|fault| vec![fault])?;
    let root = parser().parse(source).map_err(|errors| faults(source, &errors))?;
    Ok(Parsed { source, root, tokens, positions: positions(source) })
}

impl Parsed<'_> {
    /// The text from this offset on.
    pub(super) fn after(&self, offset: usize) -> &str {
        self.source.get(offset..).unwrap_or_default()
    }

    /// The offset and length of the name or sign that makes this node.
    pub(super) fn place(&self, id: u64) -> (usize, usize) {
        let range = self.positions.as_ref().and_then(|info| info.offset_for(id));
        let (start, stop) = range.unwrap_or((0, 0));
        (start as usize, stop.saturating_sub(start) as usize)
    }

    /// The place of a selected field's name. It is right after the dot that makes the node. For
    /// `has`, the node has another place, so the next such name after the operand is used.
    pub(super) fn place_of_field(&self, id: u64, operand: u64, field: &str) -> (usize, usize) {
        let (start, length) = self.place(id);
        let at = self.tokens.partition_point(|token| token.start < start);
        let dot = self.tokens.get(at);
        let found = if dot.is_some_and(|token| token.kind == TokenKind::TokDot) {
            self.tokens.get(at + 1)
        } else {
            let (operand, _) = self.place(operand);
            let text = |token: &Token| self.source.get(token.start..token.end);
            let mut after = self.tokens.iter().filter(|token| token.start > operand);
            after.find(|token| text(token).map(|text| text.trim_matches('`')) == Some(field))
        };
        found.map_or((start, length), span)
    }

    /// The place of the name before the bracket that makes this node, or of the node itself if that
    /// is a name.
    pub(super) fn place_of_call(&self, id: u64) -> (usize, usize) {
        let (start, length) = self.place(id);
        let at = self.tokens.partition_point(|token| token.start < start);
        match (self.tokens.get(at), at.checked_sub(1)) {
            (Some(token), Some(before)) if token.kind == TokenKind::TokLeftParen => {
                span(&self.tokens[before])
            }
            _ => (start, length),
        }
    }
}

fn span(token: &Token) -> (usize, usize) {
    (token.start, token.end - token.start)
}

fn parser() -> PrattParser {
    PrattParser::new()
        .max_recursion_depth(64)
        .enable_optional_syntax(true)
        .enable_ident_escape_syntax(true)
        .enable_variadic_operator_asts(true)
}

/// The position of every node. The parser returns its table of positions only with an error, so
/// this parses the text again with one bracket too many. Nodes are numbered in the order of the
/// text, so the numbers are the same without that bracket.
fn positions(source: &str) -> Option<std::sync::Arc<SourceInfo>> {
    let errors = parser().parse(&format!("{source}\n)")).err()?;
    errors.errors.into_iter().find_map(|error| error.source_info)
}

fn measure(source: &str) -> Result<Vec<Token>, ExpressionFault> {
    if source.len() > MAX_SOURCE {
        let message = format!("the expression is longer than {MAX_SOURCE} bytes");
        return Err(ExpressionFault::new(0, source.len(), message));
    }
    let foreign = source.char_indices().find_map(|(at, c)| Some((at, c, foreign::character(c)?)));
    // In a text of the expression, every character may stand.
    let quoted = |at: usize| {
        tokens(source).iter().any(|token| {
            token.start <= at && at < token.end && source[token.start..].starts_with(['"', '\''])
        })
    };
    if let Some((at, c, message)) = foreign.filter(|(at, ..)| !quoted(*at)) {
        return Err(ExpressionFault::new(at, c.len_utf8(), message));
    }
    let tokens = tokens(source);
    if tokens.is_empty() {
        return Err(ExpressionFault::new(0, source.len(), "the expression is empty"));
    }
    if tokens.len() > MAX_TOKENS {
        let message = format!("the expression has more than {MAX_TOKENS} names, values and signs");
        return Err(ExpressionFault::new(0, source.len(), message));
    }
    match first_too_deep(&tokens) {
        Some(token) => Err(ExpressionFault::new(
            token.start,
            token.end - token.start,
            format!("more than {MAX_BRACKETS} brackets are open here"),
        )),
        None => Ok(tokens),
    }
}

/// The tokens of a text, without white space and comments.
pub(super) fn tokens(source: &str) -> Vec<Token> {
    let mut lexer = Lexer::new(source);
    let mut tokens = Vec::new();
    loop {
        let token = lexer.lex();
        match token.kind {
            TokenKind::TokEnd => return tokens,
            TokenKind::TokWhitespace | TokenKind::TokComment => {}
            _ => tokens.push(token),
        }
    }
}

fn first_too_deep(tokens: &[Token]) -> Option<&Token> {
    let mut open = 0usize;
    tokens.iter().find(|token| {
        match token.kind {
            TokenKind::TokLeftParen | TokenKind::TokLeftBracket | TokenKind::TokLeftBrace => {
                open += 1;
            }
            TokenKind::TokRightParen | TokenKind::TokRightBracket | TokenKind::TokRightBrace => {
                open = open.saturating_sub(1);
            }
            _ => {}
        }
        open > MAX_BRACKETS
    })
}

fn faults(source: &str, errors: &ParseErrors) -> Vec<ExpressionFault> {
    let mut faults: Vec<_> = errors.errors.iter().map(|error| fault(source, error)).collect();
    faults.dedup_by(|later, first| later.offset == first.offset);
    faults
}

fn fault(source: &str, error: &ParseError) -> ExpressionFault {
    let info = error.source_info.as_ref();
    let range = info.and_then(|info| info.offset_for(error.expr_id));
    let (start, stop) = match range {
        Some((start, stop)) => (start as usize, stop as usize),
        None => (offset_of(source, error.pos), 0),
    };
    let (start, stop) = whole_characters(source, start, stop);
    let message = error.msg.strip_prefix("Syntax error: ").unwrap_or(&error.msg);
    let message = message
        .replace("mismatched input", "unexpected")
        .replace("'<EOF>'", "end")
        .replace("<EOF>", "end")
        .replace(" expecting ", ", expected ");
    ExpressionFault::new(start, stop - start, message).hint(hint(&source[start..stop]))
}

/// The byte offset of a line and column, both counted from 1. Errors of macros have only these.
fn offset_of(source: &str, (line, column): (isize, isize)) -> usize {
    let before = usize::try_from(line - 1).unwrap_or(0);
    let lines = source.split_inclusive('\n').take(before);
    let start: usize = lines.map(str::len).sum();
    let column = usize::try_from(column - 1).unwrap_or(0);
    source.len().min(start + column)
}

/// A byte range, widened to whole characters: the parser may end a range within a character.
fn whole_characters(source: &str, start: usize, stop: usize) -> (usize, usize) {
    let is_boundary = |at: &usize| source.is_char_boundary(*at);
    let start = (0..=start).rev().find(is_boundary).unwrap_or(0);
    let stop = (stop.max(start)..source.len()).find(is_boundary);
    (start, stop.unwrap_or(source.len()))
}

/// A hint for signs and words that other languages use.
fn hint(token: &str) -> Option<String> {
    let instead = match token {
        "=" | "is" => "==",
        "&" | "and" | "AND" => "&&",
        "|" | "or" | "OR" => "||",
        "not" | "NOT" => "!",
        "<>" => "!=",
        _ => return None,
    };
    Some(format!("write {instead}"))
}
