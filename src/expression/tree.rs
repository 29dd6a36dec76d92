//! The checked form of an expression: every name is known, every macro is a node of its own, and
//! it is at most as deep as evaluation can bear.

use super::functions::Function;
use super::pattern::Pattern;
use crate::model::Value;

/// One node and its place in the source.
#[derive(Debug)]
pub(super) struct Node {
    pub(super) offset: usize,
    pub(super) kind: Kind,
}

/// What a node does.
#[derive(Debug)]
pub(super) enum Kind {
    /// A value that is written out.
    Literal(Value),
    /// A top-level name.
    Name(&'static str),
    /// A variable of a macro around it, by its place on the stack of them.
    Local(usize, Box<str>),
    /// `operand.field`
    Select(Box<Node>, Box<str>),
    /// `has(operand.field)`
    Has(Box<Node>, Box<str>),
    /// `operand[index]`
    Index(Box<[Node; 2]>),
    /// `operand.?field`, and whatever is selected after it.
    OptionalSelect(Box<Node>, Box<str>),
    /// `operand[?index]`, and whatever is selected after it.
    OptionalIndex(Box<[Node; 2]>),
    /// `optional.orValue(other)`
    OrValue(Box<[Node; 2]>),
    /// `optional.hasValue()`
    HasValue(Box<Node>),
    /// `!operand`
    Not(Box<Node>),
    /// `-operand`
    Negate(Box<Node>),
    /// `a && b && …` or `a || b || …`: the first operand of the deciding value settles it.
    Logical { decisive: bool, operands: Vec<Node> },
    /// `condition ? one : other`
    Conditional(Box<[Node; 3]>),
    /// An operator between two values.
    Binary(Binary, Box<[Node; 2]>),
    /// A function; of a method, the first argument is what it is called on.
    Call(Function, Vec<Node>),
    /// `text.matches(pattern)`, its pattern compiled.
    Matches(Box<Node>, Pattern),
    /// `[a, b]`
    List(Vec<Node>),
    /// `{key: value}`
    Map(Vec<(Node, Node)>),
    /// `range.exists(v, body)` and its kin.
    Quantifier(Quantifier, Box<[Node; 2]>),
    /// `range.map(v, element)`, `range.filter(v, condition)`, or both at once.
    Collect(Box<Collect>),
}

/// The parts of `map` and `filter`.
#[derive(Debug)]
pub(super) struct Collect {
    pub(super) range: Node,
    pub(super) condition: Option<Node>,
    pub(super) element: Node,
}

/// The operators between two values.
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

/// The macros that answer true or false.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Quantifier {
    All,
    Exists,
    ExistsOne,
}

impl Node {
    /// True for what may have no value, and so has to end in `orValue` or `hasValue`.
    pub(super) fn is_optional(&self) -> bool {
        matches!(self.kind, Kind::OptionalSelect(..) | Kind::OptionalIndex(..))
    }
}
