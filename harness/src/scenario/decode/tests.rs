use super::super::{
    Action, Amount, Capability, Deed, Disk, RebootKind, RefusalKind, Scenario, ScenarioError,
};

const HEAD: &str = "format = 1\ntitle = \"t\"\ndisk = \"ssp\"\n";

fn parse(body: &str) -> Result<Scenario, ScenarioError> {
    Scenario::parse("t", "t.toml", &format!("{HEAD}{body}"))
}

fn refused(body: &str) -> String {
    parse(body).expect_err("the scenario is wrong").to_string()
}

#[test]
fn a_whole_scenario_is_read() {
    let scenario = parse(
        r#"
description = "d"
tags = ["smoke"]
needs = ["media-repository"]
follows = [{ name = "tempest.x.Y.test_z", id = "7fff3fb3-91d8-4fd0-bd7d-0204f1f180ba" }]

[server]
flavor = { vcpus = 2, memory_mb = 1024, extra_specs = { "powervm:proc_units" = "0.5" } }
networks = [1, 4094]

[[step]]
name = "one"
do = "create"
server = "one"
config_drive = false

[[step]]
name = "ten"
do = "create"
server = "vm"
parallel = 10
flavor = { memory_mb = "free + 256" }
expect.makespan = { times = 1.5, of = "one" }
expect.refused = { kind = "no-memory", count = 9 }
expect.untouched = true

[[step]]
name = "both"
do = "together"
[[step.work]]
do = "reboot"
kind = "hard"
server = "vm-3"
[[step.work]]
do = "delete"
server = "one"

[[step]]
name = "look"
do = "list"
expect.listed = ["vm-10"]
expect.absent = ["one"]
"#,
    )
    .expect("a good scenario");
    assert_eq!(scenario.disk, Disk::Ssp);
    assert!(
        scenario.needs.contains(&Capability::Ssp)
            && scenario.needs.contains(&Capability::MediaRepository)
    );
    assert!(scenario.matches("smoke") && scenario.matches("tempest.x") && !scenario.matches("y"));
    let [one, ten, both, look] = scenario.steps.as_slice() else {
        panic!("four steps")
    };
    let Action::Create(spec) = &one.work[0].action else {
        panic!("create")
    };
    assert_eq!(
        (
            spec.flavor.vcpus,
            spec.networks.as_slice(),
            spec.config_drive
        ),
        (2, [1, 4094].as_slice(), false)
    );
    let Action::Create(spec) = &ten.work[0].action else {
        panic!("create")
    };
    assert_eq!(
        (spec.flavor.vcpus, spec.flavor.memory_mb),
        (2, Amount::FreePlus(256)),
        "keys not given are kept"
    );
    assert_eq!(spec.flavor.extra_specs["powervm:proc_units"], "0.5");
    assert_eq!(ten.operations(), 10);
    assert_eq!(
        ten.expect.refused.as_ref().map(|refusal| refusal.kind),
        Some(RefusalKind::NoMemory)
    );
    assert_eq!(
        both.work[0].action,
        Action::Do(Deed::Reboot(RebootKind::Hard))
    );
    assert_eq!((both.verb(), look.verb()), ("together", "list"));
}

#[test]
fn errors_name_line_column_and_key() {
    let create = "[[step]]\nname = \"a\"\ndo = \"create\"\nserver = \"vm\"\n";
    let cases = [
        (
            "[[step]]\nname = \"a\"\ndo = \"fly\"\nserver = \"vm\"\n",
            "t.toml:6:6: step[1].do: unknown verb \"fly\"",
        ),
        (
            "[[step]]\nname = \"a\"\ndo = \"create\"\n",
            "t.toml:6:6: step[1].server: \"create\" needs a server",
        ),
        (
            "[[step]]\nname = \"a\"\ndo = \"show\"\nserver = \"vm\"\n",
            "step[1].server: no earlier step creates \"vm\"",
        ),
        (
            "needs = [\"moon\"]\n",
            "t.toml:4:10: needs: unknown capability \"moon\"; known are ssp",
        ),
        (
            "",
            "t.toml:4:1: step: a scenario needs one [[step]] or more",
        ),
    ];
    for (body, message) in cases {
        let error = refused(body);
        assert!(error.contains(message), "{error}\nshould hold {message}");
    }
    let more = [
        (
            "kind = \"hard\"\n",
            "step[1].kind: does not belong to \"create\"",
        ),
        ("parallel = 0\n", "step[1].parallel: has to be 1 to 1000"),
        (
            "networks = [4095]\n",
            "step[1].networks: a VLAN is 1 to 4094",
        ),
        (
            "flavor = { memory_mb = \"lots\" }\n",
            "step[1].flavor.memory_mb: has to be a number from 0",
        ),
        ("flavor = {}\n", "step[1].flavor: is empty"),
        (
            "named_like = \"other\"\n",
            "step[1].named_like: no earlier step creates a server \"other\"",
        ),
        (
            "expect.state = \"flying\"\n",
            "step[1].expect.state: unknown state \"flying\"",
        ),
        (
            "expect.listed = [\"x\"]\n",
            "step[1].expect.listed: no step up to here creates \"x\"",
        ),
        (
            "expect.refused = { kind = \"mood\" }\n",
            "step[1].expect.refused.kind: unknown kind \"mood\"",
        ),
        (
            "expect.refused = { kind = \"other\", count = 2 }\n",
            "step[1].expect.refused.count: has to be 1 to 1",
        ),
        (
            "expect.makespan = { times = 1.5, of = \"b\" }\n",
            "step[1].expect.makespan.of: there is no earlier step",
        ),
        (
            "expect.within_s = -1.0\n",
            "step[1].expect.within_s: has to be a number from 0",
        ),
    ];
    for (line, message) in more {
        let error = refused(&format!("{create}{line}"));
        assert!(error.contains(message), "{error}\nshould hold {message}");
        assert!(error.starts_with("t.toml:8:"), "{error}");
    }
}

#[test]
fn unknown_keys_and_bad_toml_are_named() {
    let error = refused("colour = 1\n");
    assert!(
        error.starts_with("t.toml:4:1:") && error.contains("colour"),
        "{error}"
    );
    let error = refused("[[step]\n");
    assert!(error.starts_with("t.toml:4:"), "{error}");
    let error = Scenario::parse("t", "t.toml", "format = 2\ntitle = \"t\"\ndisk = \"ssp\"\n")
        .expect_err("format");
    assert!(
        error
            .to_string()
            .starts_with("t.toml:1:10: format: this version reads format 1"),
        "{error}"
    );
}

#[test]
fn a_server_is_created_once_and_used_once_at_a_time() {
    let twice = "[[step]]\nname = \"a\"\ndo = \"create\"\nserver = \"vm\"\n[[step]]\nname = \"b\"\ndo = \"create\"\nserver = \"vm\"\n";
    assert!(refused(twice).contains("step[2].server: an earlier step creates \"vm\" already"));
    let together = "[[step]]\nname = \"a\"\ndo = \"create\"\nserver = \"vm\"\n[[step]]\nname = \"b\"\ndo = \"together\"\n\
        work = [{ do = \"stop\", server = \"vm\" }, { do = \"delete\", server = \"vm\" }]\n";
    assert!(refused(together).contains("step[2].work: does two things to \"vm\" at the same time"));
    let same_name = "[[step]]\nname = \"a\"\ndo = \"create\"\nserver = \"vm\"\n[[step]]\nname = \"a\"\ndo = \"list\"\n";
    assert!(refused(same_name).contains("step[2].name: there is a step \"a\" already"));
}

#[test]
fn any_bytes_end_in_an_error_not_a_crash() {
    for text in [
        "\u{0}",
        "format = 1",
        "[[[",
        "format = 1\nstep = 3",
        &"[".repeat(10_000),
        &"a.".repeat(10_000),
    ] {
        assert!(Scenario::parse("t", "t.toml", text).is_err());
    }
}

#[test]
fn verbs_say_what_a_target_must_have() {
    let create = "[[step]]\nname = \"a\"\ndo = \"create\"\nserver = \"vm\"\n";
    let needs = |body: &str| parse(body).expect("a good scenario").needs;
    let step = |keys: &str| format!("{create}[[step]]\nname = \"b\"\nserver = \"vm\"\n{keys}\n");
    assert_eq!(needs(create).len(), 1, "the pool");
    for (keys, need) in [
        (
            "do = \"attach-volume\"\nvolume = \"data\"",
            Capability::Volumes,
        ),
        ("do = \"snapshot\"\nimage = \"snap\"", Capability::Capture),
        ("do = \"shelve\"", Capability::Capture),
        ("do = \"live-migrate\"", Capability::TwoHosts),
    ] {
        assert!(needs(&step(keys)).contains(&need), "{keys}");
    }
    let backed = step("do = \"shelve\"")
        .replace("do = \"create\"", "do = \"create\"\nboot_volume = \"root\"");
    let needs = needs(&backed);
    assert!(needs.contains(&Capability::Volumes) && !needs.contains(&Capability::Capture));
}

#[test]
fn keys_belong_to_their_verbs() {
    let create = "[[step]]\nname = \"a\"\ndo = \"create\"\nserver = \"vm\"\n[[step]]\nname = \"b\"\nserver = \"vm\"\n";
    for (keys, message) in [
        (
            "do = \"stop\"\nvolume = \"data\"",
            "step[2].volume: does not belong to \"stop\"",
        ),
        (
            "do = \"attach-volume\"",
            "step[2].volume: \"attach-volume\" needs one",
        ),
        (
            "do = \"attach-interface\"",
            "step[2].network: \"attach-interface\" needs a VLAN",
        ),
        (
            "do = \"attach-interface\"\nnetwork = 5000",
            "step[2].network: a VLAN is 1 to 4094",
        ),
        (
            "do = \"resize\"",
            "step[2].flavor: \"resize\" needs a flavor",
        ),
        (
            "do = \"unshelve\"\nhost = 3",
            "step[2].host: has to be 1 or 2",
        ),
    ] {
        let error = refused(&format!("{create}{keys}\n"));
        assert!(error.contains(message), "{error}\nshould hold {message}");
    }
}
