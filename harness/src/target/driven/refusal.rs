//! Why an operation was refused, in the harness's words.

use powervm_driver::{Error, ErrorKind};

use crate::scenario::RefusalKind;
use crate::target::Failure;

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self {
            kind: kind(&error),
            message: error.to_string(),
        }
    }
}

/// What servers say when something is used up or taken: message identifiers of the hypervisor and of AIX's volume
/// manager, and the words of the pool.
const SERVER_WORDS: [(&str, RefusalKind); 6] = [
    ("HSCL03EC", RefusalKind::NoMemory),
    ("HSCL03F4", RefusalKind::NoProcessors),
    ("HSCL05DE", RefusalKind::NameInUse),
    ("exists already in the pool", RefusalKind::NameInUse),
    ("0516-404", RefusalKind::NoSpace),
    ("has not enough free space", RefusalKind::NoSpace),
];

/// The driver sorts errors by what a caller can do; which of several things is used up, the words say.
fn kind(error: &Error) -> RefusalKind {
    let text = error.to_string();
    match error.kind() {
        ErrorKind::Invalid => RefusalKind::BadFlavor,
        ErrorKind::Exists => RefusalKind::NameInUse,
        ErrorKind::NotFound => RefusalKind::NotFound,
        ErrorKind::Cancelled => RefusalKind::Cancelled,
        ErrorKind::NoSpace if text.contains("memory") => RefusalKind::NoMemory,
        ErrorKind::NoSpace if text.contains("process") => RefusalKind::NoProcessors,
        ErrorKind::NoSpace => RefusalKind::NoSpace,
        _ => {
            let known = SERVER_WORDS.iter().find(|(words, _)| text.contains(words));
            known.map_or(RefusalKind::Other, |(_, kind)| *kind)
        }
    }
}
