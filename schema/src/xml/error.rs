//! Why a document was refused.

use std::fmt;

/// A place in a document: byte offset, and line and column counted from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Position {
    /// Bytes before this place.
    pub offset: usize,
    /// Line, from 1.
    pub line: usize,
    /// Column in bytes, from 1.
    pub column: usize,
}

impl Position {
    pub(crate) fn new(document: &[u8], offset: usize) -> Self {
        let offset = offset.min(document.len());
        let before = document.get(..offset).unwrap_or_default();
        let line = before.iter().filter(|&&b| b == b'\n').count() + 1;
        let column = before.iter().rev().take_while(|&&b| b != b'\n').count() + 1;
        Self {
            offset,
            line,
            column,
        }
    }
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}, column {}", self.line, self.column)
    }
}

/// Why a document was refused, and where.
///
/// A server answers the limits (see [`ParseError::is_limit`]) with 413 and everything else with 400.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ParseError {
    /// More bytes than [`Limits::bytes`](super::Limits::bytes).
    #[error("the document has {actual} bytes, more than the limit of {limit}")]
    TooLarge {
        /// Bytes received.
        actual: usize,
        /// Bytes allowed.
        limit: usize,
    },
    /// Nested deeper than [`Limits::depth`](super::Limits::depth).
    #[error("{at}: elements are nested deeper than the limit of {limit}")]
    TooDeep {
        /// Levels allowed.
        limit: usize,
        /// Where.
        at: Position,
    },
    /// More nodes and attributes than [`Limits::nodes`](super::Limits::nodes).
    #[error("{at}: the document has more nodes than the limit of {limit}")]
    TooManyNodes {
        /// Nodes allowed.
        limit: usize,
        /// Where.
        at: Position,
    },
    /// More attributes on one element than [`Limits::attributes`](super::Limits::attributes).
    #[error("{at}: an element has more attributes than the limit of {limit}")]
    TooManyAttributes {
        /// Attributes allowed on one element.
        limit: usize,
        /// Where.
        at: Position,
    },
    /// More namespace declarations in force at once than [`Limits::declarations`](super::Limits::declarations).
    #[error("{at}: more namespace declarations are in force than the limit of {limit}")]
    TooManyDeclarations {
        /// Declarations allowed in force.
        limit: usize,
        /// Where.
        at: Position,
    },
    /// Not UTF-8, or declared to be in another encoding.
    #[error("{at}: the document is not UTF-8; send it as UTF-8")]
    Encoding {
        /// Where.
        at: Position,
    },
    /// A document type declaration; PowerVM documents have none, and entities are an attack.
    #[error("{at}: a DOCTYPE is not allowed; remove it")]
    Doctype {
        /// Where.
        at: Position,
    },
    /// An entity other than the five of XML itself.
    #[error("{at}: the entity &{name}; is not defined; only amp, lt, gt, quot and apos are")]
    UndefinedEntity {
        /// The name between `&` and `;`, cut to 40 characters.
        name: String,
        /// Where.
        at: Position,
    },
    /// A prefix without a declaration in scope.
    #[error("{at}: the namespace prefix {prefix} is not declared")]
    UnboundPrefix {
        /// The prefix, cut to 40 characters.
        prefix: String,
        /// Where.
        at: Position,
    },
    /// Not well-formed XML in some other way.
    #[error("{at}: {problem}")]
    Malformed {
        /// What is wrong, in a sentence.
        problem: String,
        /// Where.
        at: Position,
    },
    /// Well-formed, but not the document that was asked for.
    #[error("expected {expected}, found {found}")]
    Unexpected {
        /// What was asked for.
        expected: &'static str,
        /// What was found; names of elements are cut to 40 characters.
        found: String,
    },
}

impl ParseError {
    /// Whether a limit was passed, as opposed to the document being wrong.
    pub fn is_limit(&self) -> bool {
        matches!(
            self,
            Self::TooLarge { .. }
                | Self::TooDeep { .. }
                | Self::TooManyNodes { .. }
                | Self::TooManyAttributes { .. }
                | Self::TooManyDeclarations { .. }
        )
    }
}

/// At most 40 characters of something a peer sent, for an error message.
pub(crate) fn excerpt(text: &str) -> String {
    const LIMIT: usize = 40;
    match text.char_indices().nth(LIMIT) {
        Some((at, _)) => format!("{}…", text.get(..at).unwrap_or_default()),
        None => text.to_owned(),
    }
}
