//! Whatever a peer sends is answered with a tree or an error that says where, in bounded memory.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "helpers of tests fail by panicking"
)]

use std::time::Duration;

use powervm_schema::atom::{Body, Entry, Feed};
use powervm_schema::xml::{Element, Limits, ParseError};
use proptest::prelude::*;

const SAMPLE: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<!-- before --><feed xmlns="http://www.w3.org/2005/Atom" xmlns:p="urn:p"><id>1</id>
<entry><id>a&amp;b&#x41;</id><content type='t'><p:X p:y="1" z="&lt;"><![CDATA[<raw>]]><?pi x?></p:X></content></entry>
</feed>"#;

fn refusal(document: impl AsRef<[u8]>) -> ParseError {
    Element::parse(document.as_ref()).unwrap_err()
}

#[test]
fn every_truncation_is_refused() {
    let whole = Element::parse(SAMPLE.as_bytes()).unwrap();
    assert_eq!(whole.descend(&["entry", "id"]).unwrap().text(), "a&bA");
    for end in 0..SAMPLE.len() {
        let error = refusal(&SAMPLE.as_bytes()[..end]);
        assert!(!error.is_limit(), "{end}: {error}");
    }
}

#[test]
fn unbalanced_documents_are_refused() {
    for document in [
        "",
        " ",
        "text",
        "<a>",
        "</a>",
        "<a></b>",
        "<a><b></a></b>",
        "<a/><b/>",
        "<a/>text",
        "text<a/>",
        "<a",
        "<a b>",
        "<a b=c/>",
        "<a b='1' b='2'/>",
        "<a b='<'/>",
        "<1/>",
        "<a:/>",
        "<:a/>",
        "<a:b:c xmlns:a='urn:a'/>",
        "<a><!-- -- --></a>",
        "<a><![CDATA[</a>",
        "<![CDATA[x]]><a/>",
        "<a/><![CDATA[x]]>",
        "<a>&#0;</a>",
        "<a>&#xFFFE;</a>",
        "<a b='&#1;'/>",
        "<a>\u{1}</a>",
        "<a>&#x110000;</a>",
        "<a>& b</a>",
        "<a>&amp</a>",
        "<a/><?xml version='1.0'?>",
        "&amp;<a/>",
        "<a xmlns:xml='urn:x'/>",
        "<a xmlns:b=''/>",
        "<a xmlns:xmlns='urn:x'/>",
        "<a xmlns='http://www.w3.org/2000/xmlns/'/>",
        "<a xmlns:p='urn:1' xmlns:q='urn:1' p:x='1' q:x='2'/>",
        "<a xmlns='urn:1' xmlns='urn:2'/>",
    ] {
        let error = refusal(document);
        assert!(
            matches!(error, ParseError::Malformed { .. }),
            "{document:?}: {error:?}"
        );
        assert!(error.to_string().len() < 400, "{error}");
    }
    assert!(matches!(refusal("<p:a/>"), ParseError::UnboundPrefix { prefix, .. } if prefix == "p"));
    assert!(matches!(
        refusal("<a p:b='1'/>"),
        ParseError::UnboundPrefix { .. }
    ));
}

#[test]
fn entities_and_doctypes_are_refused() {
    let laughs = "<!DOCTYPE l [<!ENTITY a 'lol'><!ENTITY b '&a;&a;&a;&a;'>]><l>&b;</l>";
    assert!(matches!(refusal(laughs), ParseError::Doctype { .. }));
    let external = "<!DOCTYPE l SYSTEM 'file:///etc/passwd'><l/>";
    assert!(matches!(refusal(external), ParseError::Doctype { .. }));
    for document in ["<l>&lol;</l>", "<l a='&lol;'/>"] {
        let error = refusal(document);
        assert!(
            matches!(&error, ParseError::UndefinedEntity { name, .. } if name == "lol"),
            "{error:?}"
        );
    }
    let long = format!("<l>&{};</l>", "x".repeat(100_000));
    assert!(refusal(long).to_string().len() < 300);
}

#[test]
fn other_encodings_are_refused() {
    assert!(matches!(refusal(b"<a>\xff</a>"), ParseError::Encoding { at } if at.offset == 3));
    let utf16: Vec<u8> = "<a/>".encode_utf16().flat_map(u16::to_le_bytes).collect();
    refusal(utf16);
    let declared = "<?xml version='1.0' encoding='ISO-8859-1'?><a/>";
    assert!(matches!(refusal(declared), ParseError::Encoding { .. }));
    for accepted in [
        "\u{feff}<a/>",
        "<?xml version='1.0' encoding='utf-8'?>\n<a/>\n",
    ] {
        Element::parse(accepted.as_bytes()).unwrap();
    }
}

#[test]
fn depth_is_bounded_whatever_is_asked_for() {
    let deep = "<a>".repeat(1_000_000);
    assert!(matches!(
        refusal(&deep),
        ParseError::TooDeep { limit: 96, .. }
    ));
    let closed = deep.clone() + &"</a>".repeat(1_000_000);
    let greedy = Limits {
        depth: usize::MAX,
        ..Limits::default()
    };
    let error = Element::parse_with(closed.as_bytes(), &greedy).unwrap_err();
    assert!(matches!(
        error,
        ParseError::TooDeep {
            limit: Limits::MAX_DEPTH,
            ..
        }
    ));

    // As deep as it gets, a tree can be copied, compared, written and dropped on the smallest usual stack.
    let levels = Limits::MAX_DEPTH;
    let most = "<a>".repeat(levels) + &"</a>".repeat(levels);
    let small_stack = std::thread::Builder::new()
        .stack_size(512 * 1024)
        .spawn(move || {
            let tree = Element::parse_with(most.as_bytes(), &greedy).unwrap();
            let copy = tree.clone();
            assert!(copy == tree);
            assert_eq!(copy.to_xml().len(), format!("{copy:?}").len());
            assert_eq!(tree.descendants().count(), levels);
        });
    small_stack.unwrap().join().unwrap();
}

#[test]
fn size_is_bounded() {
    let limits = Limits {
        bytes: 1000,
        depth: 10,
        nodes: 50,
        attributes: 5,
        declarations: 6,
    };
    let parse = |document: String| Element::parse_with(document.as_bytes(), &limits);
    let wrapped = |inner: &str, count: usize| format!("<a>{}</a>", inner.repeat(count));

    assert!(matches!(
        parse(wrapped("x", 1000)),
        Err(ParseError::TooLarge { limit: 1000, .. })
    ));
    assert!(parse(wrapped("x", 900)).is_ok());
    for inner in ["<b/>", "x<!--c-->", "<![CDATA[]]>", "<?p q?>", "<b c='1'/>"] {
        let error = parse(wrapped(inner, 60)).unwrap_err();
        assert!(
            matches!(error, ParseError::TooManyNodes { limit: 50, .. }),
            "{inner}: {error}"
        );
    }
    let attributes: String = (0..6).map(|n| format!(" a{n}=''")).collect();
    assert!(matches!(
        parse(format!("<a{attributes}/>")),
        Err(ParseError::TooManyAttributes { .. })
    ));
    let declarations: String = (0..4).map(|n| format!(" xmlns:a{n}='urn:x'")).collect();
    let nested = format!("<a{declarations}><b{declarations}/></a>");
    assert!(matches!(
        parse(nested),
        Err(ParseError::TooManyDeclarations { .. })
    ));
    let siblings = format!("<a>{}</a>", format!("<b{declarations}/>").repeat(9));
    assert!(
        parse(siblings).is_ok(),
        "declarations of siblings do not add up"
    );
}

#[test]
fn the_limits_have_their_own_kind() {
    let tight = Limits {
        bytes: 3,
        ..Limits::REQUEST
    };
    assert!(
        Element::parse_with(b"<aa/>", &tight)
            .unwrap_err()
            .is_limit()
    );
    assert!(!refusal("<a>").is_limit());
}

/// Work that grows with the square of the input would take minutes here.
#[test]
fn no_input_costs_more_than_its_size() {
    let inputs = [
        format!("<a>{}</a>", "&amp;".repeat(400_000)),
        format!("<a>{}</a>", "<![CDATA[x]]>".repeat(200_000)),
        format!(
            "<a>{}</a>",
            (0..100_000)
                .map(|n| format!("<N{n} a{n}='{n}'/>"))
                .collect::<String>()
        ),
        format!("<a b='{}'/>", "&#65;".repeat(400_000)),
        format!("<a>{}", "<!--".repeat(500_000)),
        format!("<{}/>", "a".repeat(2_000_000)),
        "<a ".repeat(700_000),
        "<".repeat(2_000_000),
        "&".repeat(2_000_000),
    ];
    let (sender, receiver) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        for input in inputs {
            let _ = Element::parse(input.as_bytes()).map(|element| element.to_xml());
        }
        sender.send(()).unwrap();
    });
    receiver
        .recv_timeout(Duration::from_secs(60))
        .expect("parsing takes far longer than its input is long");
}

proptest! {
    #[test]
    fn bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        let _ = Body::parse(&bytes);
    }

    #[test]
    fn damaged_documents_never_panic_and_stay_writable(
        cuts in proptest::collection::vec((0..SAMPLE.len(), any::<u8>()), 1..4),
    ) {
        let mut bytes = SAMPLE.as_bytes().to_vec();
        for (at, byte) in cuts {
            bytes[at] = byte;
        }
        if let Ok(element) = Element::parse(&bytes) {
            let again = Element::parse(element.to_xml().as_bytes());
            prop_assert_eq!(again.as_ref(), Ok(&element));
        }
        let _ = (Feed::parse(&bytes), Entry::parse(&bytes));
    }

    #[test]
    fn markup_soup_never_panics(
        pieces in proptest::collection::vec(
            proptest::sample::select(vec![
                "<a>", "</a>", "<b/>", "<p:c xmlns:p='u'>", "</p:c>", " x='1'", "<![CDATA[", "]]>", "<!--", "-->",
                "&amp;", "&#10;", "&x;", "<?q", "?>", "text", "<", ">", "\"", "'", "<!DOCTYPE", "\r\n", "\u{feff}",
            ]),
            0..20,
        ),
    ) {
        let soup = pieces.concat();
        if let Ok(element) = Element::parse(soup.as_bytes()) {
            let again = Element::parse(element.to_xml().as_bytes());
            prop_assert_eq!(again.as_ref(), Ok(&element));
        }
    }
}
