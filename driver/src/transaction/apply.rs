//! Applying several edits to one document without letting one spoil the others.

use std::panic::{AssertUnwindSafe, catch_unwind};

use powervm_schema::xml::Element;

use super::Changed;
use crate::error::{Error, Result};

/// An edit that may be run several times.
pub(super) type BoxedEdit = Box<dyn FnMut(&mut Element) -> Result<Changed> + Send>;

/// What came of a set of edits.
pub(super) struct Applied {
    /// The document with all edits that did not fail.
    pub(super) document: Element,
    /// The result of each, in order.
    pub(super) results: Vec<Result<Changed>>,
}

impl Applied {
    pub(super) fn any_changed(&self) -> bool {
        self.results
            .iter()
            .any(|result| matches!(result, Ok(Changed::Yes)))
    }

    pub(super) fn any_failed(&self) -> bool {
        self.results.iter().any(Result::is_err)
    }
}

/// Runs one edit; a panic in it is its own failure and nobody else's.
pub(super) fn run_guarded(
    edit: &mut (impl FnMut(&mut Element) -> Result<Changed> + ?Sized),
    document: &mut Element,
) -> Result<Changed> {
    catch_unwind(AssertUnwindSafe(|| edit(document)))
        .unwrap_or_else(|_| Err(Error::internal("an edit panicked")))
}

/// Applies the edits in order. One that fails may have changed the document half, so the others are then applied to
/// a fresh copy without it.
pub(super) fn apply<'e>(
    base: &Element,
    edits: impl IntoIterator<Item = &'e mut BoxedEdit>,
) -> Applied {
    let mut edits: Vec<&mut BoxedEdit> = edits.into_iter().collect();
    let mut failures: Vec<Option<Error>> = vec![None; edits.len()];
    loop {
        let mut document = base.clone();
        let mut results = Vec::with_capacity(edits.len());
        let mut failed_now = false;
        for (edit, failure) in edits.iter_mut().zip(&mut failures) {
            let result = match failure {
                Some(error) => Err(error.clone()),
                None => run_guarded(&mut **edit, &mut document),
            };
            if let (Err(error), None) = (&result, &failure) {
                *failure = Some(error.clone());
                failed_now = true;
                break;
            }
            results.push(result);
        }
        if !failed_now {
            return Applied { document, results };
        }
    }
}

#[cfg(test)]
mod tests {
    use powervm_schema::xml::Namespace;

    use super::*;

    fn adding(name: &'static str, then: Result<Changed>) -> BoxedEdit {
        Box::new(move |document| {
            document.push(Element::new(Namespace::Uom, name));
            then.clone()
        })
    }

    #[test]
    fn a_failing_edit_leaves_no_trace() {
        let failure = || Err(Error::internal("no"));
        let mut edits = [
            adding("A", Ok(Changed::Yes)),
            adding("B", failure()),
            adding("C", Ok(Changed::No)),
            adding("D", failure()),
        ];
        let applied = apply(&Element::new(Namespace::Uom, "X"), &mut edits);
        let names: Vec<&str> = applied
            .document
            .children()
            .map(Element::local_name)
            .collect();
        assert_eq!(names, ["A", "C"]);
        assert!(matches!(
            applied.results[..],
            [Ok(Changed::Yes), Err(_), Ok(Changed::No), Err(_)]
        ));
        assert!(applied.any_changed() && applied.any_failed());
    }

    #[test]
    fn a_panic_is_one_edits_failure() {
        let mut edits: [BoxedEdit; 2] = [Box::new(|_| panic!("oh")), adding("B", Ok(Changed::Yes))];
        let applied = apply(&Element::new(Namespace::Uom, "X"), &mut edits);
        assert_eq!(applied.document.children().count(), 1);
        assert!(matches!(applied.results[..], [Err(_), Ok(Changed::Yes)]));
    }
}
