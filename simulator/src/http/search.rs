//! The condition of a search: `(PartitionName=='x')`, one comparison in parentheses.

use super::problem::Problem;

/// A comparison of one search parameter with a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Condition {
    /// The search parameter, such as `PartitionName`.
    pub key: String,
    /// How the values are compared.
    pub comparison: Comparison,
    /// The text on the right, without the quotes that may have enclosed it.
    pub value: String,
}

/// The operator of a [`Condition`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Comparison {
    /// `==`
    Equal,
    /// `!=`
    Different,
}

impl Condition {
    /// Whether a resource whose parameter has this value is found.
    #[must_use]
    pub fn matches(&self, value: &str) -> bool {
        (value == self.value) == (self.comparison == Comparison::Equal)
    }

    /// Reads an expression that has been percent-decoded.
    ///
    /// Quotes round the value are optional; without them white space is an error, as captured from an HMC V10R3
    /// (`PartitionState==not%20activated`).
    ///
    /// # Errors
    /// 500 `Unable to parse expression.`
    pub fn parse(expression: &str) -> Result<Self, Problem> {
        Self::read(expression).ok_or_else(|| {
            Problem::new(
                500,
                "Unknown internal error.",
                "Unable to parse expression.",
            )
        })
    }

    fn read(expression: &str) -> Option<Self> {
        let inner = expression.strip_prefix('(')?.strip_suffix(')')?;
        let at = inner.find(['=', '!'])?;
        let (key, rest) = inner.split_at_checked(at)?;
        let (comparison, value) = match rest.strip_prefix("==") {
            Some(value) => (Comparison::Equal, value),
            None => (Comparison::Different, rest.strip_prefix("!=")?),
        };
        if key.is_empty() || !key.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
            return None;
        }
        let value = match unquoted(value) {
            Some(quoted) => quoted,
            None if value.is_empty()
                || value.contains(|c: char| c.is_whitespace() || c == '\'' || c == '"') =>
            {
                return None;
            }
            None => value,
        };
        Some(Self {
            key: key.to_owned(),
            comparison,
            value: value.to_owned(),
        })
    }
}

fn unquoted(value: &str) -> Option<&str> {
    ['\'', '"']
        .into_iter()
        .find_map(|quote| value.strip_prefix(quote)?.strip_suffix(quote))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_are_optional() {
        for expression in [
            "(PartitionName=='a')",
            "(PartitionName==a)",
            "(PartitionName==\"a\")",
        ] {
            let condition = Condition::parse(expression).unwrap();
            assert!(
                condition.matches("a") && !condition.matches("b"),
                "{expression}"
            );
        }
        let condition = Condition::parse("(PartitionName!='it's)/x y')").unwrap();
        assert_eq!(condition.value, "it's)/x y");
        assert!(condition.matches("a"));
    }

    #[test]
    fn what_is_no_condition_is_refused() {
        for expression in [
            "", "()", "(a)", "(a=b)", "a==b", "(==b)", "(a==)", "(a==b c)", "(a=='b)", "(a b==c)",
            "(",
        ] {
            assert_eq!(
                Condition::parse(expression).unwrap_err().status,
                500,
                "{expression}"
            );
        }
    }
}
