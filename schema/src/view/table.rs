//! The macros that turn a table into a view, and a list of spellings into an enumeration.

/// Declares a view; see the [module](super) for the kinds of rows.
///
/// ```text
/// view! {
///     /// What it is.
///     pub struct Name = "ElementName" in Uom extends Base as (base, base_mut) {
///         "Child" kind getter setters;
///         "NewerChild" @ "V1_3_0" kind getter setters;
///     }
/// }
/// ```
/// `in Uom, bare,` is for elements that have neither a schema version nor metadata.
macro_rules! view {
    (
        $(#[$doc:meta])*
        pub struct $View:ident = $type:literal in $namespace:ident $(, $bare:ident,)?
            $(extends $Base:ident as ($base:ident, $base_mut:ident))?
        {
            $(
                $(#[$row_doc:meta])*
                $name:literal $(@ $since:literal)? $kind:ident $(($($argument:tt)*))? $($accessor:ident)*;
            )*
        }
    ) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub struct $View<E = $crate::xml::Element>(pub E);

        impl $View {
            #[doc = concat!("Name of the element: `", $type, "`.")]
            pub const TYPE: &'static str = $type;
            /// Namespace of the element.
            pub const NAMESPACE: $crate::xml::Namespace = $crate::xml::Namespace::$namespace;
            /// Known children in schema order.
            pub const ORDER: &'static [&'static str] = {
                const OWN: &[&str] = &[$($name),*];
                $crate::view::view!(@order OWN $($Base)?)
            };

            /// An empty one, as clients build it: unprefixed, and with a schema version and empty metadata if it
            /// is of a type that has them.
            pub fn new() -> Self {
                Self::named(Self::TYPE)
            }

            pub(crate) fn named(name: &'static str) -> Self {
                Self($crate::view::view!(@new name $($bare)?))
            }

            /// The view on this element if it has the right name.
            ///
            /// # Errors
            /// When it has another name.
            pub fn try_from_element(
                element: $crate::xml::Element,
            ) -> Result<Self, $crate::xml::ParseError> {
                $crate::view::expect_name(&element, Self::TYPE)?;
                Ok(Self(element))
            }
        }

        impl Default for $View {
            fn default() -> Self {
                Self::new()
            }
        }

        impl $crate::view::View for $View {
            const TYPE: &'static str = $type;
            const NAMESPACE: $crate::xml::Namespace = <$View>::NAMESPACE;
            const ORDER: &'static [&'static str] = <$View>::ORDER;

            fn from_element(element: $crate::xml::Element) -> Self {
                Self(element)
            }

            fn into_element(self) -> $crate::xml::Element {
                self.0
            }

            fn as_element(&self) -> &$crate::xml::Element {
                &self.0
            }
        }

        impl<E: std::borrow::Borrow<$crate::xml::Element>> $View<E> {
            /// The element that this is a view of.
            pub fn element<'s, 'e>(&'s self) -> &'e $crate::xml::Element
            where
                E: $crate::view::Source<'s, 'e>,
            {
                self.0.source()
            }

            /// A borrowed view of the same element.
            pub fn as_view<'s, 'e>(&'s self) -> $View<&'e $crate::xml::Element>
            where
                E: $crate::view::Source<'s, 'e>,
            {
                $View(self.0.source())
            }

            /// An owned copy.
            pub fn to_owned(&self) -> $View {
                $View(self.0.borrow().clone())
            }

            $(
                #[doc = concat!("The part that a `", stringify!($Base), "` is.")]
                pub fn $base<'s, 'e>(&'s self) -> $Base<&'e $crate::xml::Element>
                where
                    E: $crate::view::Source<'s, 'e>,
                {
                    $Base(self.0.source())
                }
            )?

            $($crate::view::view! {
                @get [$(#[$row_doc])*] $name $kind ($($($argument)*)?) $($accessor)*
            })*
        }

        impl<E: std::borrow::Borrow<$crate::xml::Element>> $View<E> {
            /// How well the element and the views below it fit their tables: wrong values, unknown children,
            /// children out of order.
            pub fn inspect(&self) -> $crate::view::Inspection {
                let mut found = $crate::view::Inspection::default();
                self.inspect_all(&mut found);
                found
            }

            pub(crate) fn inspect_all(&self, found: &mut $crate::view::Inspection) {
                found.check_children(self.0.borrow(), <$View>::ORDER);
                self.inspect_rows(found);
            }

            pub(crate) fn inspect_rows(&self, found: &mut $crate::view::Inspection) {
                let element: &$crate::xml::Element = self.0.borrow();
                $($Base(element).inspect_rows(found);)?
                $($crate::view::view! { @inspect element found $name $kind ($($($argument)*)?) })*
                // A table of nothing but texts uses neither.
                let _ = (element, found);
            }
        }

        impl<E: std::borrow::BorrowMut<$crate::xml::Element>> $View<E> {
            /// The element that this is a view of.
            pub fn element_mut(&mut self) -> &mut $crate::xml::Element {
                self.0.borrow_mut()
            }

            /// Takes the first child with this name out.
            pub fn remove(&mut self, name: &str) -> Option<$crate::xml::Element> {
                self.0.borrow_mut().remove(name)
            }

            $(
                #[doc = concat!("The part that a `", stringify!($Base), "` is.")]
                pub fn $base_mut(&mut self) -> $Base<&mut $crate::xml::Element> {
                    $Base(self.0.borrow_mut())
                }
            )?

            $($crate::view::view! {
                @set $View $name [$($since)?] $kind ($($($argument)*)?) $($accessor)*
            })*
        }
    };

    (@new $name:ident) => {
        $crate::view::new_element(Self::NAMESPACE, $crate::SmolStr::new_static($name), None)
    };
    (@new $name:ident bare) => {
        $crate::xml::Element::new(Self::NAMESPACE, $crate::SmolStr::new_static($name))
    };

    (@order $own:ident) => { $own };
    (@order $own:ident $Base:ident) => {{
        const ALL: [&str; <$Base>::ORDER.len() + $own.len()] = $crate::view::joined(<$Base>::ORDER, $own);
        &ALL
    }};

    (@inspect $element:ident $found:ident $name:literal value ($T:ty)) => {
        $found.check_value::<$T>($element, $name);
    };
    (@inspect $element:ident $found:ident $name:literal child ($Child:ident)) => {
        if let Some(child) = $element.child($name) {
            $Child(child).inspect_all($found);
        }
    };
    (@inspect $element:ident $found:ident $name:literal list ($Member:ident in $member:literal)) => {
        for member in $crate::view::get_list($element, $name, $member) {
            $Member(member).inspect_all($found);
        }
    };
    (@inspect $element:ident $found:ident $name:literal $kind:ident ($($rest:tt)*)) => {};

    (@row $View:ident $name:literal []) => {
        $crate::view::Row {
            name: $name, namespace: <$View>::NAMESPACE, order: <$View>::ORDER, since: None,
        }
    };
    (@row $View:ident $name:literal [$since:literal]) => {
        $crate::view::Row {
            name: $name, namespace: <$View>::NAMESPACE, order: <$View>::ORDER, since: Some($since),
        }
    };

    (@get [$($doc:tt)*] $name:literal opaque ()) => {};
    (@get [$($doc:tt)*] $name:literal text () $get:ident $($set:ident)?) => {
        #[doc = concat!("`", $name, "`")]
        #[doc = ""]
        $($doc)*
        pub fn $get<'s, 'e>(&'s self) -> Option<&'e str>
        where
            E: $crate::view::Source<'s, 'e>,
        {
            self.0.source().child_value($name)
        }
    };
    (@get [$($doc:tt)*] $name:literal value ($T:ty) $get:ident $($set:ident)?) => {
        #[doc = concat!("`", $name, "`")]
        #[doc = ""]
        $($doc)*
        ///
        /// # Errors
        /// When the text is something else.
        pub fn $get(&self) -> Result<Option<$T>, $crate::view::FieldError> {
            $crate::view::get_value(self.0.borrow(), $name)
        }
    };
    (@get [$($doc:tt)*] $name:literal texts () $get:ident $($push:ident)?) => {
        #[doc = concat!("Every `", $name, "`")]
        #[doc = ""]
        $($doc)*
        pub fn $get<'s, 'e>(&'s self) -> impl Iterator<Item = &'e str> + use<'e, E>
        where
            E: $crate::view::Source<'s, 'e>,
        {
            $crate::view::get_texts(self.0.source(), $name)
        }
    };
    (@get [$($doc:tt)*] $name:literal text_list ($member:literal) $get:ident $($push:ident)?) => {
        #[doc = concat!("Every `", $name, "/", $member, "`")]
        #[doc = ""]
        $($doc)*
        pub fn $get<'s, 'e>(&'s self) -> impl Iterator<Item = &'e str> + use<'e, E>
        where
            E: $crate::view::Source<'s, 'e>,
        {
            $crate::view::get_text_list(self.0.source(), $name, $member)
        }
    };
    (@get [$($doc:tt)*] $name:literal child ($Child:ident) $get:ident $($get_mut:ident)?) => {
        #[doc = concat!("`", $name, "`")]
        #[doc = ""]
        $($doc)*
        pub fn $get<'s, 'e>(&'s self) -> Option<$Child<&'e $crate::xml::Element>>
        where
            E: $crate::view::Source<'s, 'e>,
        {
            self.0.source().child($name).map($Child)
        }
    };
    (@get [$($doc:tt)*] $name:literal list ($Member:ident in $member:literal) $get:ident $($push:ident $retain:ident)?) => {
        #[doc = concat!("Every `", $name, "/", $member, "`")]
        #[doc = ""]
        $($doc)*
        pub fn $get<'s, 'e>(
            &'s self,
        ) -> impl DoubleEndedIterator<Item = $Member<&'e $crate::xml::Element>> + use<'e, E>
        where
            E: $crate::view::Source<'s, 'e>,
        {
            $crate::view::get_list(self.0.source(), $name, $member).map($Member)
        }
    };
    (@get [$($doc:tt)*] $name:literal href () $get:ident $($set:ident)?) => {
        #[doc = concat!("The `href` of `", $name, "`")]
        #[doc = ""]
        $($doc)*
        pub fn $get<'s, 'e>(&'s self) -> Option<&'e str>
        where
            E: $crate::view::Source<'s, 'e>,
        {
            self.0.source().child($name)?.attribute("href")
        }
    };
    (@get [$($doc:tt)*] $name:literal links () $get:ident $($set:ident)?) => {
        #[doc = concat!("The `href` of every `", $name, "/link`")]
        #[doc = ""]
        $($doc)*
        pub fn $get<'s, 'e>(&'s self) -> impl DoubleEndedIterator<Item = &'e str> + use<'e, E>
        where
            E: $crate::view::Source<'s, 'e>,
        {
            $crate::view::links_of(self.0.source(), $name)
        }
    };

    (@set $View:ident $name:literal [$($since:literal)?] opaque ()) => {};
    (@set $View:ident $name:literal [$($since:literal)?] text () $get:ident) => {};
    (@set $View:ident $name:literal [$($since:literal)?] text () $get:ident $set:ident) => {
        #[doc = concat!("Sets `", $name, "`")]
        pub fn $set(&mut self, text: impl Into<$crate::SmolStr>) -> &mut Self {
            let row = $crate::view::view!(@row $View $name [$($since)?]);
            $crate::view::set_leaf(&mut self.0, row, text.into());
            self
        }
    };
    (@set $View:ident $name:literal [$($since:literal)?] value ($T:ty) $get:ident) => {};
    (@set $View:ident $name:literal [$($since:literal)?] value ($T:ty) $get:ident $set:ident) => {
        #[doc = concat!("Sets `", $name, "`")]
        pub fn $set(&mut self, value: $T) -> &mut Self {
            let row = $crate::view::view!(@row $View $name [$($since)?]);
            $crate::view::set_leaf(&mut self.0, row, $crate::view::FieldValue::to_wire(&value));
            self
        }
    };
    (@set $View:ident $name:literal [$($since:literal)?] texts () $get:ident) => {};
    (@set $View:ident $name:literal [$($since:literal)?] texts () $get:ident $push:ident) => {
        #[doc = concat!("Adds a `", $name, "`")]
        pub fn $push(&mut self, text: impl Into<$crate::SmolStr>) -> &mut Self {
            let row = $crate::view::view!(@row $View $name [$($since)?]);
            $crate::view::push_text(&mut self.0, row, text.into());
            self
        }
    };
    (@set $View:ident $name:literal [$($since:literal)?] text_list ($member:literal) $get:ident) => {};
    (@set $View:ident $name:literal [$($since:literal)?] text_list ($member:literal) $get:ident $push:ident) => {
        #[doc = concat!("Adds a `", $name, "/", $member, "`")]
        pub fn $push(&mut self, text: impl Into<$crate::SmolStr>) -> &mut Self {
            let row = $crate::view::view!(@row $View $name [$($since)?]);
            $crate::view::push_text_list(&mut self.0, row, $member, text.into());
            self
        }
    };
    (@set $View:ident $name:literal [$($since:literal)?] child ($Child:ident) $get:ident) => {};
    (@set $View:ident $name:literal [$($since:literal)?] child ($Child:ident) $get:ident $get_mut:ident) => {
        #[doc = concat!("`", $name, "`, made at its place when there is none")]
        pub fn $get_mut(&mut self) -> $Child<&mut $crate::xml::Element> {
            $Child(
                self.0.borrow_mut().child_or_insert($name, <$View>::ORDER, || <$Child>::named($name).0),
            )
        }
    };
    (@set $View:ident $name:literal [$($since:literal)?] list ($Member:ident in $member:literal) $get:ident) => {};
    (@set $View:ident $name:literal [$($since:literal)?] list ($Member:ident in $member:literal)
        $get:ident $push:ident $retain:ident) => {
        #[doc = concat!("Adds a `", $name, "/", $member, "` at the end")]
        pub fn $push(&mut self, member: $Member) -> &mut Self {
            let row = $crate::view::view!(@row $View $name [$($since)?]);
            $crate::view::push_list(&mut self.0, row, member.0);
            self
        }

        #[doc = concat!("Keeps each `", $name, "/", $member, "` that `keep` wants")]
        pub fn $retain(&mut self, mut keep: impl FnMut($Member<&$crate::xml::Element>) -> bool) -> &mut Self {
            $crate::view::retain_list(&mut self.0, $name, $member, |member| keep($Member(member)));
            self
        }
    };
    (@set $View:ident $name:literal [$($since:literal)?] href () $get:ident) => {};
    (@set $View:ident $name:literal [$($since:literal)?] href () $get:ident $set:ident) => {
        #[doc = concat!("Makes `", $name, "` a link to this")]
        pub fn $set(&mut self, href: &str) -> &mut Self {
            let row = $crate::view::view!(@row $View $name [$($since)?]);
            $crate::view::set_href(&mut self.0, row, href);
            self
        }
    };
    (@set $View:ident $name:literal [$($since:literal)?] links () $get:ident) => {};
    (@set $View:ident $name:literal [$($since:literal)?] links () $get:ident $set:ident) => {
        #[doc = concat!("Replaces every `", $name, "/link` by links to these; none leaves it empty")]
        pub fn $set<'h>(&mut self, hrefs: impl IntoIterator<Item = &'h str>) -> &mut Self {
            let row = $crate::view::view!(@row $View $name [$($since)?]);
            $crate::view::clear_links(&mut self.0, row.clone());
            for href in hrefs {
                $crate::view::push_link(&mut self.0, row.clone(), href);
            }
            self
        }
    };
}

/// Declares an enumeration by its spellings on the wire; what it does not know is kept as text.
macro_rules! spelled {
    (
        $(#[$doc:meta])*
        pub enum $Name:ident {
            $($(#[$variant_doc:meta])* $Variant:ident = $text:literal,)*
        }
    ) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum $Name {
            $(
                #[doc = concat!("`", $text, "`")]
                $(#[$variant_doc])*
                $Variant,
            )*
            /// Anything else, as it came.
            Other($crate::SmolStr),
        }

        impl $Name {
            /// Every known one, in the order of the schema.
            pub const ALL: &'static [Self] = &[$(Self::$Variant),*];

            /// The spelling on the wire.
            pub fn as_str(&self) -> &str {
                match self {
                    $(Self::$Variant => $text,)*
                    Self::Other(text) => text,
                }
            }
        }

        impl std::fmt::Display for $Name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(self.as_str())
            }
        }

        impl std::str::FromStr for $Name {
            type Err = std::convert::Infallible;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Ok(match text {
                    $($text => Self::$Variant,)*
                    _ => Self::Other($crate::SmolStr::new(text)),
                })
            }
        }

        impl $crate::view::FieldValue for $Name {
            const EXPECTED: &'static str = concat!("one of the values of ", stringify!($Name));

            fn from_wire(text: &str) -> Option<Self> {
                text.parse().ok()
            }

            fn to_wire(&self) -> $crate::SmolStr {
                match self {
                    $(Self::$Variant => $crate::SmolStr::new_static($text),)*
                    Self::Other(text) => text.clone(),
                }
            }
        }
    };
}

pub(crate) use {spelled, view};
