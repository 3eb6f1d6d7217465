//! Values of leaf elements.

use smol_str::{SmolStr, ToSmolStr, format_smolstr};

use crate::xml::excerpt;

/// A leaf whose text is not what the schema promises.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{element} holds {text:?}, expected {expected}")]
pub struct FieldError {
    /// Name of the element.
    pub element: SmolStr,
    /// Its text, cut to 40 characters.
    pub text: String,
    /// What would have been right.
    pub expected: &'static str,
}

impl FieldError {
    pub(crate) fn new(element: &str, text: &str, expected: &'static str) -> Self {
        Self {
            element: SmolStr::new(element),
            text: excerpt(text),
            expected,
        }
    }
}

/// A type that a leaf's text can be read as.
pub trait FieldValue: Sized {
    /// What the text has to be, for [`FieldError`].
    const EXPECTED: &'static str;

    /// Reads text without surrounding white space; `None` when it is something else.
    fn from_wire(text: &str) -> Option<Self>;

    /// The text to send.
    fn to_wire(&self) -> SmolStr;
}

/// `true` or `false`, in any case when read.
impl FieldValue for bool {
    const EXPECTED: &'static str = "true or false";

    fn from_wire(text: &str) -> Option<Self> {
        if text.eq_ignore_ascii_case("true") {
            Some(true)
        } else {
            text.eq_ignore_ascii_case("false").then_some(false)
        }
    }

    fn to_wire(&self) -> SmolStr {
        SmolStr::new_static(if *self { "true" } else { "false" })
    }
}

macro_rules! integers {
    ($($type:ty),*) => {$(
        impl FieldValue for $type {
            const EXPECTED: &'static str = concat!("a whole number (", stringify!($type), ")");

            fn from_wire(text: &str) -> Option<Self> {
                text.parse().ok()
            }

            fn to_wire(&self) -> SmolStr {
                self.to_smolstr()
            }
        }
    )*};
}

integers!(u8, u16, u32, u64, i32, i64);

/// A decimal number; the text is the shortest that reads back equal.
impl FieldValue for f64 {
    const EXPECTED: &'static str = "a decimal number";

    fn from_wire(text: &str) -> Option<Self> {
        text.parse().ok().filter(|number: &f64| number.is_finite())
    }

    fn to_wire(&self) -> SmolStr {
        format_smolstr!("{self}")
    }
}
