//! What each error that an operation ends with has to tell: where it failed, why, and what to do. And what it may not.

use powervm_driver::{Error, ErrorKind};
use powervm_simulator::Simulator;
use secrecy::ExposeSecret;

/// What is missing in an error's text, or should be.
pub(super) fn flaw(error: &Error, simulator: &Simulator) -> Option<String> {
    let text = error.to_string();
    let steps = error.failed_steps();
    if let Error::Saga(failure) = error
        && failure.step.is_none()
        && error.kind() != ErrorKind::Cancelled
    {
        return Some(format!("it does not tell the step: {text}"));
    }
    if let Some(step) = steps.iter().find(|step| !text.contains(**step)) {
        return Some(format!("it does not tell of the step '{step}': {text}"));
    }
    if let Some(code) = error.reason_code().filter(|code| !text.contains(*code)) {
        return Some(format!("it does not tell the server's code {code}: {text}"));
    }
    let remedy = error.remedy();
    if remedy.is_empty() || !text.contains(&remedy) {
        return Some(format!("it does not tell what to do ({remedy}): {text}"));
    }
    let password = simulator.credentials().password.clone();
    if text.contains(password.expose_secret()) {
        return Some("it tells the password".to_owned());
    }
    None
}
