//! The checked form of an expression: every name is known, every macro is one node, and the depth
//! is limited so that evaluation cannot overflow the stack.

use super::functions::{Function, Zone};
use super::pattern::Pattern;
use crate::model::Value;

/// A node and its place in the source.
#[derive(Debug)]
pub(super) struct Node {
    pub(super) offset: usize,
    pub(super) kind: Kind,
}

/// What a node does.
#[derive(Debug)]
pub(super) enum Kind {
    /// A literal value.
    Literal(Value),
    /// A top-level name.
    Name(&'static str),
    /// A variable of an enclosing macro, by its position on the stack of such variables.
    Local(usize, Box<str>),
    /// `operand.field`
    Select(Box<Node>, Box<str>),
    /// `has(operand.field)`
    Has(Box<Node>, Box<str>),
    /// `operand[index]`
    Index(Box<[Node; 2]>),
    /// `operand.?field`, and fields that are selected from it.
    OptionalSelect(Box<Node>, Box<str>),
    /// `operand[?index]`, and fields that are selected from it.
    OptionalIndex(Box<[Node; 2]>),
    /// `optional.orValue(other)`
    OrValue(Box<[Node; 2]>),
    /// `optional.hasValue()`
    HasValue(Box<Node>),
    /// `!operand`
    Not(Box<Node>),
    /// `-operand`
    Negate(Box<Node>),
    /// `a && b && …` or `a || b || …`. The first operand that equals `decisive` is the result.
    Logical { decisive: bool, operands: Vec<Node> },
    /// `condition ? one : other`
    Conditional(Box<[Node; 3]>),
    /// An operator between two values.
    Binary(Binary, Box<[Node; 2]>),
    /// A function call. For a method, the first argument is the value that it is called on.
    Call(Function, Vec<Node>),
    /// `text.matches(pattern)`, with the compiled pattern.
    Matches(Box<Node>, Pattern),
    /// `time.inZone("Europe/Berlin")`, with the zone.
    InZone(Box<Node>, Zone),
    /// `[a, b]`
    List(Vec<Node>),
    /// `{key: value}`
    Map(Vec<(Node, Node)>),
    /// `range.exists(v, body)` and similar macros.
    Quantifier(Quantifier, Box<[Node; 2]>),
    /// `range.map(v, element)`, `range.filter(v, condition)`, or both in one.
    Collect(Box<Collect>),
}

/// The parts of `map` and `filter`.
#[derive(Debug)]
pub(super) struct Collect {
    pub(super) range: Node,
    pub(super) condition: Option<Node>,
    pub(super) element: Node,
}

/// An operator between two values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Binary {
    Add,
    Subtract,
    Multiply,
    Divide,
    Remainder,
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    In,
}

/// The macros that give true or false.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Quantifier {
    All,
    Exists,
    ExistsOne,
}

impl Node {
    /// Whether the node may have no value. Such a node must end in `orValue` or `hasValue`.
    pub(super) fn is_optional(&self) -> bool {
        matches!(self.kind, Kind::OptionalSelect(..) | Kind::OptionalIndex(..))
    }
}
