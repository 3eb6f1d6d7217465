//! The configuration: what is wrong is named.

use std::path::Path;

use powervm_ci::config::Config;

const WHOLE: &str = r#"
name = "powervm"
contact = "https://wiki.example.org/ci"
state = "state"
logs = "logs"
logs_url = "https://ci.example.org"
"#;

fn load(text: &str) -> Result<Config, String> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ci.toml");
    std::fs::write(&path, text).unwrap();
    Config::load(&path).map_err(|error| error.to_string())
}

#[test]
fn unknown_keys_are_refused_by_their_names() {
    for (text, name) in [
        ("color = 1\n", "color"),
        ("[gerrit]\npasword_file = 'x'\n", "pasword_file"),
        ("[gerrit]\n[vote]\nlable = 'x'\n", "lable"),
        ("[gerrit]\n[run]\nparalel = 1\n", "paralel"),
        ("[gerrit]\n[run.limits]\nhole = 1\n", "hole"),
        (
            "[gerrit]\n[stream]\nhost = 'h'\nusername = 'u'\nknown_hosts = 'k'\npassword = 'p'\n",
            "password",
        ),
    ] {
        let error = load(&format!("{WHOLE}{text}")).unwrap_err();
        assert!(
            error.contains(&format!("unknown field `{name}`")),
            "{error}"
        );
    }
    load(WHOLE).unwrap();
    assert!(load("name = 'x'").unwrap_err().contains("contact"));
}

#[test]
fn values_that_cannot_be_meant_are_refused_together() {
    let text = format!(
        "{}[gerrit]\nurl = 'https://me:secret@review'\nusername = 'u'\npoll_seconds = 0\n[vote]\nsuccess = 2\n[run]\ngit = '--upload-pack=x'\n",
        WHOLE.replace("\"powervm\"", "\"Power VM\"")
    );
    let error = load(&text).unwrap_err();
    for part in [
        "name:",
        "gerrit.url:",
        "belong together",
        "poll_seconds",
        "vote.success",
        "run.git",
    ] {
        assert!(error.contains(part), "{part}: {error}");
    }
    assert!(!error.contains("secret"), "{error}");
}

#[test]
fn paths_count_from_the_files_folder() {
    let config = load(&format!("{WHOLE}[gerrit]\n")).unwrap();
    assert!(config.state.is_absolute() && config.state.ends_with("state"));
    assert!(config.queue_file().ends_with("state/queue.redb"));
    assert_eq!(config.logs_of("1-2-3"), "https://ci.example.org/1-2-3/");
    assert_eq!(config.run.python, Path::new("python3.11"));
}
