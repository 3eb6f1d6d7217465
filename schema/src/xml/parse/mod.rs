//! Reading a document into a tree.

mod attributes;

use std::borrow::Cow;

use quick_xml::Reader;
use quick_xml::errors::{Error, IllFormedError};
use quick_xml::escape::resolve_xml_entity;
use quick_xml::events::{BytesDecl, BytesRef, BytesStart, Event};
use smol_str::SmolStr;

use super::cache::{Lists, Names};
use super::chars;
use super::error::excerpt;
use super::{Element, Limits, Namespace, Node, ParseError, Position};

impl Element {
    /// Parses a document within [`Limits::default`] and returns its root; what surrounds the root is dropped.
    ///
    /// # Errors
    /// When the document is not well-formed UTF-8 XML, has a DOCTYPE, uses entities other than the five of XML
    /// itself, or passes a limit.
    pub fn parse(document: &[u8]) -> Result<Element, ParseError> {
        Self::parse_with(document, &Limits::default())
    }

    /// Parses a document within these limits.
    ///
    /// # Errors
    /// See [`Element::parse`].
    pub fn parse_with(document: &[u8], limits: &Limits) -> Result<Element, ParseError> {
        if document.len() > limits.bytes {
            return Err(ParseError::TooLarge {
                actual: document.len(),
                limit: limits.bytes,
            });
        }
        let text = std::str::from_utf8(document).map_err(|error| ParseError::Encoding {
            at: Position::new(document, error.valid_up_to()),
        })?;
        if let Some(at) = chars::first_forbidden(text) {
            return Err(ParseError::Malformed {
                problem: "a control character that XML does not allow".to_owned(),
                at: Position::new(document, at),
            });
        }
        Parser::new(text, limits).run()
    }
}

/// An element whose end is still to come.
struct Open {
    element: Element,
    /// Where its content begins in [`Parser::nodes`].
    first_node: usize,
    /// How many declarations were in force around it.
    outer_bindings: usize,
}

struct Parser<'d> {
    document: &'d str,
    reader: Reader<&'d [u8]>,
    limits: &'d Limits,
    open: Vec<Open>,
    /// The content of all open elements, one after the other; an end tag takes its part off the end.
    nodes: Vec<Node>,
    /// Text that may go on: quick-xml splits it at every reference.
    text: Option<Cow<'d, str>>,
    bindings: Vec<(SmolStr, Namespace)>,
    names: Names,
    lists: Lists,
    budget: usize,
    root: Option<Element>,
}

impl<'d> Parser<'d> {
    fn new(document: &'d str, limits: &'d Limits) -> Self {
        let mut reader = Reader::from_str(document);
        reader.config_mut().check_comments = true;
        Self {
            document,
            reader,
            limits,
            open: Vec::with_capacity(16),
            nodes: Vec::with_capacity(64),
            text: None,
            bindings: Vec::with_capacity(16),
            names: Names::for_document(document.len()),
            lists: Lists::for_document(document.len()),
            budget: limits.nodes,
            root: None,
        }
    }

    fn run(mut self) -> Result<Element, ParseError> {
        let mut first = true;
        loop {
            let event = match self.reader.read_event() {
                Ok(event) => event,
                Err(error) => return Err(self.syntax(error)),
            };
            match event {
                Event::Text(text) => self.add_text(text.xml10_content())?,
                Event::GeneralRef(reference) => self.add_reference(&reference)?,
                Event::Start(start) => {
                    self.end_text()?;
                    self.start(&start)?;
                }
                Event::Empty(start) => {
                    self.end_text()?;
                    self.start(&start)?;
                    self.end()?;
                }
                Event::End(_) => {
                    self.end_text()?;
                    self.end()?;
                }
                Event::CData(data) => {
                    self.end_text()?;
                    if self.open.is_empty() {
                        return Err(self.outside());
                    }
                    self.add_node(Node::CData(SmolStr::new(data.xml10_content())))?;
                }
                Event::Comment(comment) => {
                    self.end_text()?;
                    self.add_inner(Node::Comment(SmolStr::new(comment.xml10_content())))?;
                }
                Event::PI(instruction) => {
                    self.end_text()?;
                    self.check_instruction(instruction.target())?;
                    self.add_inner(Node::Instruction(SmolStr::new(&*instruction)))?;
                }
                Event::Decl(declaration) => {
                    if !first {
                        return Err(self.malformed("an XML declaration that is not at the start"));
                    }
                    self.check_encoding(&declaration)?;
                }
                Event::DocType(_) => {
                    return Err(ParseError::Doctype {
                        at: self.position(),
                    });
                }
                Event::Eof => break,
            }
            first = false;
        }
        self.end_text()?;
        if let Some(open) = self.open.last() {
            let problem = format!(
                "the document ends inside the element {}",
                excerpt(&open.element.local)
            );
            return Err(self.malformed(&problem));
        }
        match self.root.take() {
            Some(root) => Ok(root),
            None => Err(self.malformed("the document has no element")),
        }
    }

    fn start(&mut self, start: &BytesStart<'_>) -> Result<(), ParseError> {
        let depth = self.limits.depth.min(Limits::MAX_DEPTH);
        if self.open.len() >= depth {
            return Err(ParseError::TooDeep {
                limit: depth,
                at: self.position(),
            });
        }
        if self.open.is_empty() && self.root.is_some() {
            return Err(self.malformed("a second root element"));
        }
        let name = start.name();
        let Some((prefix, local)) = self.names.split(name.0) else {
            return Err(self.malformed(&format!("{} is not an element name", excerpt(name.0))));
        };
        let outer_bindings = self.bindings.len();
        let attributes = self.attributes(start)?;
        let namespace = self.resolve(prefix.as_deref())?;
        self.spend(1)?;
        self.open.push(Open {
            element: Element {
                prefix,
                local,
                namespace,
                attributes,
                nodes: Vec::new(),
            },
            first_node: self.nodes.len(),
            outer_bindings,
        });
        Ok(())
    }

    fn end(&mut self) -> Result<(), ParseError> {
        let Some(Open {
            mut element,
            first_node,
            outer_bindings,
        }) = self.open.pop()
        else {
            return Err(self.malformed("an end tag without a start tag"));
        };
        // Exactly as long as the content: most elements hold one node.
        element.nodes = match first_node {
            // Splitting here would hand out the whole buffer.
            0 => self.nodes.drain(..).collect(),
            _ => self.nodes.split_off(first_node),
        };
        self.bindings.truncate(outer_bindings);
        if self.open.is_empty() {
            self.root = Some(element);
        } else {
            self.nodes.push(Node::Element(element));
        }
        Ok(())
    }

    fn add_text(&mut self, text: Cow<'d, str>) -> Result<(), ParseError> {
        if self.open.is_empty() {
            // A byte order mark may precede the document, white space may surround its root.
            return if text.trim_ascii().is_empty() {
                Ok(())
            } else {
                Err(self.outside())
            };
        }
        match &mut self.text {
            None => self.text = Some(text),
            Some(begun) => begun.to_mut().push_str(&text),
        }
        Ok(())
    }

    fn add_reference(&mut self, reference: &BytesRef<'_>) -> Result<(), ParseError> {
        if self.open.is_empty() {
            return Err(self.outside());
        }
        let character = match reference.resolve_char_ref() {
            Ok(Some(character)) if chars::is_xml_char(character) => Some(character),
            Ok(Some(_)) => {
                return Err(self.malformed("a reference to a character that XML does not allow"));
            }
            Ok(None) => None,
            Err(error) => return Err(self.syntax(error)),
        };
        let text = self.text.get_or_insert_default().to_mut();
        match (character, resolve_xml_entity(reference)) {
            (Some(character), _) => text.push(character),
            (None, Some(replacement)) => text.push_str(replacement),
            (None, None) => {
                return Err(ParseError::UndefinedEntity {
                    name: excerpt(reference),
                    at: self.position(),
                });
            }
        }
        Ok(())
    }

    fn end_text(&mut self) -> Result<(), ParseError> {
        match self.text.take() {
            Some(text) if !text.is_empty() => self.add_node(Node::Text(SmolStr::new(text))),
            _ => Ok(()),
        }
    }

    /// Comments and instructions outside the root are allowed, and dropped.
    fn add_inner(&mut self, node: Node) -> Result<(), ParseError> {
        if self.open.is_empty() {
            Ok(())
        } else {
            self.add_node(node)
        }
    }

    fn add_node(&mut self, node: Node) -> Result<(), ParseError> {
        self.spend(1)?;
        self.nodes.push(node);
        Ok(())
    }

    fn spend(&mut self, nodes: usize) -> Result<(), ParseError> {
        match self.budget.checked_sub(nodes) {
            Some(left) => self.budget = left,
            None => {
                return Err(ParseError::TooManyNodes {
                    limit: self.limits.nodes,
                    at: self.position(),
                });
            }
        }
        Ok(())
    }

    fn check_encoding(&self, declaration: &BytesDecl<'_>) -> Result<(), ParseError> {
        match declaration.encoding() {
            None => Ok(()),
            Some(Ok(name))
                if name.eq_ignore_ascii_case("utf-8") || name.eq_ignore_ascii_case("us-ascii") =>
            {
                Ok(())
            }
            Some(_) => Err(ParseError::Encoding {
                at: self.position(),
            }),
        }
    }

    fn check_instruction(&self, target: &str) -> Result<(), ParseError> {
        if !chars::is_ncname(target) || target.eq_ignore_ascii_case("xml") {
            return Err(self.malformed("a processing instruction without a valid target"));
        }
        Ok(())
    }

    fn position(&self) -> Position {
        let offset = usize::try_from(self.reader.buffer_position()).unwrap_or(usize::MAX);
        Position::new(self.document.as_bytes(), offset)
    }

    fn malformed(&self, problem: &str) -> ParseError {
        ParseError::Malformed {
            problem: problem.to_owned(),
            at: self.position(),
        }
    }

    fn outside(&self) -> ParseError {
        self.malformed("text outside the root element")
    }

    fn syntax(&self, error: Error) -> ParseError {
        use quick_xml::escape::EscapeError;
        let offset = usize::try_from(self.reader.error_position()).unwrap_or(usize::MAX);
        let at = Position::new(self.document.as_bytes(), offset);
        match error {
            Error::Escape(EscapeError::UnrecognizedEntity(_, name)) => {
                ParseError::UndefinedEntity {
                    name: excerpt(&name),
                    at: self.position(),
                }
            }
            Error::IllFormed(IllFormedError::MismatchedEndTag { expected, found }) => {
                ParseError::Malformed {
                    problem: format!(
                        "expected the end of {}, found the end of {}",
                        excerpt(&expected),
                        excerpt(&found)
                    ),
                    at,
                }
            }
            Error::IllFormed(IllFormedError::UnmatchedEndTag(found)) => ParseError::Malformed {
                problem: format!("the end of {} without its start", excerpt(&found)),
                at,
            },
            error => ParseError::Malformed {
                problem: excerpt_long(&error.to_string()),
                at,
            },
        }
    }
}

/// A message of the tokenizer may quote the document: keep it short.
fn excerpt_long(message: &str) -> String {
    message.chars().take(200).collect()
}
