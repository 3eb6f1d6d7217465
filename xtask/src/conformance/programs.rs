//! The programs of `conformance/`, and what each needs.

use crate::python::Wanted;

/// A program and what it runs on.
pub(super) struct Program {
    pub(super) name: &'static str,
    /// The file of pinned packages that it runs with, if it needs any.
    pub(super) requirements: Option<&'static str>,
    pub(super) python: Wanted,
    /// Whether it runs our own package for Nova.
    pub(super) wants_package: bool,
    /// Whether it runs only where all is asked for, or it by name: another program shows nearly the same.
    pub(super) only_whole: bool,
}

impl Program {
    const fn new(name: &'static str, requirements: Option<&'static str>, python: Wanted) -> Self {
        Self {
            name,
            requirements,
            python,
            wants_package: false,
            only_whole: false,
        }
    }

    const fn with_package(mut self) -> Self {
        self.wants_package = true;
        self
    }

    const fn only_whole(mut self) -> Self {
        self.only_whole = true;
        self
    }
}

/// The longest first, so that none of them runs alone at the end.
pub(super) const PROGRAMS: &[Program] = &[
    Program::new("nova_today", Some("nova-today.txt"), Wanted::Exactly311).with_package(),
    Program::new(
        "nova_today_eventlet",
        Some("nova-today.txt"),
        Wanted::Exactly311,
    )
    .with_package(),
    Program::new(
        "nova_out_of_tree",
        Some("nova-powervm.txt"),
        Wanted::Exactly311,
    ),
    Program::new(
        "nova_live_migration",
        Some("nova-powervm.txt"),
        Wanted::Exactly311,
    ),
    Program::new("nova_in_tree", Some("nova.txt"), Wanted::Exactly311),
    Program::new("pypowervm_client", Some("pypowervm.txt"), Wanted::Recent),
    Program::new(
        "nova_functional",
        Some("nova-today.txt"),
        Wanted::Exactly311,
    )
    .with_package(),
    Program::new("nova_31", Some("nova-31.txt"), Wanted::Exactly311).with_package(),
    Program::new("nova_killed", Some("nova-today.txt"), Wanted::Exactly311).with_package(),
    Program::new(
        "nova_killed_eventlet",
        Some("nova-31.txt"),
        Wanted::Exactly311,
    )
    .with_package()
    .only_whole(),
    Program::new(
        "nova_today_moves",
        Some("nova-today.txt"),
        Wanted::Exactly311,
    )
    .with_package(),
    Program::new("nova_32", Some("nova-32.txt"), Wanted::Exactly311)
        .with_package()
        .only_whole(),
    Program::new("nova_33", Some("nova-33.txt"), Wanted::Exactly311)
        .with_package()
        .only_whole(),
    Program::new("nova_threads", Some("nova-today.txt"), Wanted::Exactly311)
        .with_package()
        .only_whole(),
    Program::new(
        "nova_threads_eventlet",
        Some("nova-31.txt"),
        Wanted::Exactly311,
    )
    .with_package()
    .only_whole(),
    Program::new("nova_boots", Some("nova-today.txt"), Wanted::Exactly311)
        .with_package()
        .only_whole(),
    Program::new("nova_scenarios", Some("nova-today.txt"), Wanted::Exactly311).with_package(),
    Program::new("nova_services", Some("nova.txt"), Wanted::Exactly311),
    Program::new("reports", Some("reports.txt"), Wanted::Recent),
    Program::new("curl_hmc", None, Wanted::Recent),
];

#[cfg(test)]
mod tests {
    use super::PROGRAMS;

    /// As `docs/conformance.md` says it: every other program shows what no second one does.
    #[test]
    fn the_tests_leave_out_what_other_programs_show_as_well() {
        let left_out: Vec<&str> = PROGRAMS
            .iter()
            .filter(|program| program.only_whole)
            .map(|program| program.name)
            .collect();
        let expected = [
            "nova_killed_eventlet",
            "nova_32",
            "nova_33",
            "nova_threads",
            "nova_threads_eventlet",
            "nova_boots",
        ];
        assert_eq!(left_out, expected);
    }
}
