//! How much a document may cost.

/// How much a document may cost before it is refused.
///
/// Depth is bounded by [`Limits::MAX_DEPTH`] whatever is asked for, so that dropping, cloning, comparing and
/// writing a parsed tree, which recurse, cannot overflow the stack.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of the whole document.
    pub bytes: usize,
    /// Levels of elements; the root is the first.
    pub depth: usize,
    /// Nodes and attributes of the whole document. A node costs about 120 bytes of memory.
    pub nodes: usize,
    /// Attributes of one element, namespace declarations included.
    pub attributes: usize,
    /// Namespace declarations in force at one place.
    pub declarations: usize,
}

impl Limits {
    /// The greatest depth that [`Limits::depth`] can ask for.
    pub const MAX_DEPTH: usize = 256;

    /// What a client accepts from a server: 128 MiB, 4 million nodes. The largest feeds seen (some hundred
    /// partitions with all groups) stay below a tenth of that.
    pub const RESPONSE: Self = Self {
        bytes: 128 << 20,
        depth: 96,
        nodes: 4_000_000,
        attributes: 64,
        declarations: 128,
    };

    /// What a server accepts from a client: 16 MiB, 400 000 nodes. The largest request is a Virtual I/O Server
    /// with all its mappings sent back, some 700 KB for a hundred clients.
    pub const REQUEST: Self = Self {
        bytes: 16 << 20,
        depth: 64,
        nodes: 400_000,
        attributes: 64,
        declarations: 128,
    };
}

impl Default for Limits {
    fn default() -> Self {
        Self::RESPONSE
    }
}
