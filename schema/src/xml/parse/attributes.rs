//! Attributes and the namespaces that they declare.

use std::sync::Arc;

use quick_xml::XmlVersion;
use quick_xml::events::BytesStart;
use quick_xml::events::attributes::Attribute as RawAttribute;
use smol_str::SmolStr;

use super::Parser;
use crate::xml::error::excerpt;
use crate::xml::{Attribute, Namespace, ParseError, chars};

impl Parser<'_> {
    pub(super) fn attributes(
        &mut self,
        start: &BytesStart<'_>,
    ) -> Result<Option<Arc<[Attribute]>>, ParseError> {
        let raw = start.attributes_raw();
        if raw.trim_ascii().is_empty() {
            return Ok(None);
        }
        if let Some(known) = self.lists.get(raw) {
            self.spend(known.len())?;
            return Ok(Some(known));
        }
        let mut attributes = Vec::with_capacity(4);
        let mut prefixed = false;
        for attribute in start.attributes() {
            let attribute = attribute.map_err(|error| self.malformed(&error.to_string()))?;
            if attributes.len() >= self.limits.attributes {
                return Err(ParseError::TooManyAttributes {
                    limit: self.limits.attributes,
                    at: self.position(),
                });
            }
            let name = attribute.key.0;
            let Some((prefix, local)) = self.names.split(name) else {
                return Err(self.malformed(&format!("{} is not an attribute name", excerpt(name))));
            };
            let value = self.attribute_value(&attribute)?;
            let declaration = matches!(
                (prefix.as_deref(), local.as_str()),
                (Some("xmlns"), _) | (None, "xmlns")
            );
            let namespace = if declaration {
                self.declare(prefix.as_ref().map(|_| &local), &value)?;
                Namespace::Xmlns
            } else {
                prefixed |= prefix.is_some();
                Namespace::None
            };
            attributes.push(Attribute {
                prefix,
                local,
                namespace,
                value,
            });
        }
        self.spend(attributes.len())?;
        if prefixed {
            // Only now: a declaration may follow the attribute that uses it.
            self.resolve_attributes(&mut attributes)?;
        }
        let list: Arc<[Attribute]> = Arc::from(attributes);
        self.lists.put(raw, &list);
        Ok(Some(list))
    }

    fn attribute_value(&self, attribute: &RawAttribute<'_>) -> Result<SmolStr, ParseError> {
        let raw: &str = &attribute.value;
        let special = raw.bytes().fold(0u8, |seen, byte| {
            seen | match byte {
                b'<' => 2,
                b'&' | b'\t' | b'\n' | b'\r' => 1,
                _ => 0,
            }
        });
        match special {
            0 => Ok(SmolStr::new(raw)),
            1 => match attribute.normalized_value(XmlVersion::Implicit1_0) {
                Ok(value) if chars::first_forbidden(&value).is_none() => Ok(SmolStr::new(value)),
                Ok(_) => Err(self.malformed("a reference to a character that XML does not allow")),
                Err(error) => Err(self.syntax(error)),
            },
            _ => Err(self.malformed("a < inside an attribute value")),
        }
    }

    fn resolve_attributes(&self, attributes: &mut [Attribute]) -> Result<(), ParseError> {
        for attribute in attributes.iter_mut() {
            if let (Some(prefix), false) = (attribute.prefix.as_deref(), attribute.is_declaration())
            {
                attribute.namespace = self.resolve(Some(prefix))?;
            }
        }
        let expanded =
            |a: &Attribute| (a.prefix.is_some() && !a.is_declaration()).then(|| a.clone());
        let prefixed: Vec<Attribute> = attributes.iter().filter_map(expanded).collect();
        for (at, one) in prefixed.iter().enumerate() {
            if prefixed
                .iter()
                .skip(at + 1)
                .any(|two| two.local == one.local && two.namespace == one.namespace)
            {
                return Err(self.malformed(&format!(
                    "the attribute {} stands twice",
                    excerpt(&one.local)
                )));
            }
        }
        Ok(())
    }

    fn declare(&mut self, prefix: Option<&SmolStr>, uri: &str) -> Result<(), ParseError> {
        let namespace = Namespace::from_uri(uri);
        let prefix = prefix.cloned().unwrap_or_default();
        let reserved = matches!(namespace, Namespace::Xml) != (prefix == "xml");
        let undeclared = namespace == Namespace::None && !prefix.is_empty();
        if reserved || undeclared || prefix == "xmlns" || namespace == Namespace::Xmlns {
            return Err(self.malformed("a namespace declaration that XML does not allow"));
        }
        if self.bindings.len() >= self.limits.declarations {
            return Err(ParseError::TooManyDeclarations {
                limit: self.limits.declarations,
                at: self.position(),
            });
        }
        self.bindings.push((prefix, namespace));
        Ok(())
    }

    pub(super) fn resolve(&self, prefix: Option<&str>) -> Result<Namespace, ParseError> {
        let wanted = prefix.unwrap_or_default();
        match self
            .bindings
            .iter()
            .rev()
            .find(|(bound, _)| bound == wanted)
        {
            Some((_, namespace)) => Ok(namespace.clone()),
            None if wanted.is_empty() => Ok(Namespace::None),
            None if wanted == "xml" => Ok(Namespace::Xml),
            None => Err(ParseError::UnboundPrefix {
                prefix: excerpt(wanted),
                at: self.position(),
            }),
        }
    }
}
