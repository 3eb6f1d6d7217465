//! `CLIRunner`: the few console commands that clients send (`docs/protocol/san.md`).

use std::sync::Arc;
use uuid::Uuid;

use super::lifecycle::End;
use crate::clock::Millis;
use crate::model::storage::VolumeUsage;
use crate::model::vios::VirtualIoServer;
use crate::model::world::World;

/// The most words of a command that are looked at.
const WORDS: usize = 64;
/// The clock rate of the processors in hertz, as `lsdev -dev proc0 -attr frequency` tells it (cassette `refresher.yml`).
const FREQUENCY: &str = "3425000000";

/// What a command printed, or what it complained about.
type Output = Result<String, String>;

impl World {
    /// Runs a command of the console. What it prints becomes the result; a command that does not exist makes an exception.
    pub(super) fn run_cli(&mut self, now: Millis, command: &str) -> End {
        let words = words(command);
        let mut words = words.iter().map(String::as_str);
        let name = words.next().unwrap_or_default();
        let options: Vec<&str> = words.collect();
        let output = match name {
            "rmvterm" => self.remove_terminal(&options),
            "viosvrcmd" => self.run_on_server(now, &options),
            "lssyscfg" => self.list_configuration(&options),
            _ => {
                return End::Exception(format!(
                    "com.ibm.pmc.jaxb.api.server.jobs.PmcJobException: The command {} is not supported.",
                    name.chars().take(40).collect::<String>()
                ));
            }
        };
        match output {
            Ok(text) => End::Ok(vec![("result".to_owned(), text)]),
            Err(text) => End::Failed(text),
        }
    }

    fn remove_terminal(&mut self, options: &[&str]) -> Output {
        let (name, id) = (option(options, "-p"), option(options, "--id"));
        let found = self.partitions.values().find(|partition| {
            name == Some(partition.name.as_str()) || id == Some(partition.id.to_string().as_str())
        });
        let uuid = found.map(|partition| partition.uuid).ok_or_else(|| {
            "HSCL8012 The partition was not found on the managed system.".to_owned()
        })?;
        self.close_console(Some(uuid));
        Ok(String::new())
    }

    /// `viosvrcmd -m <system> -p <server> | --id <n> -c "<command>"`. Drivers pass the name of their own host as the
    /// system, so it counts only where several servers have the same name.
    fn run_on_server(&mut self, now: Millis, options: &[&str]) -> Output {
        let command = option(options, "-c").ok_or("HSCL8001 The parameter -c is required.")?;
        let server = self.server_named(options)?;
        let inner = words(command);
        let inner: Vec<&str> = inner.iter().map(String::as_str).collect();
        let Some((verb, options)) = inner.split_first() else {
            return Err("HSCL8001 The parameter -c is required.".to_owned());
        };
        let failed = |why: &str| {
            format!(
                "HSCL2970 The IOServer command has failed because of the following reason:\n{why}\nrc=1\n"
            )
        };
        if let Err(refusal) = self.ready_vios(server.partition.uuid) {
            return Err(refusal.message);
        }
        match *verb {
            "rmdev" => {
                let device = option(options, "-dev")
                    .ok_or_else(|| failed("rmdev: the flag -dev is required."))?;
                self.remove_device(now, server.partition.uuid, device)?;
                Ok(format!("{device} deleted\n"))
            }
            "cfgdev" => {
                self.discover_all(now, server.partition.uuid);
                Ok(String::new())
            }
            "lsdev" => list_devices(&server, options).map_err(|why| failed(&why)),
            "lspv" => Ok(list_volumes(&server)),
            verb => Err(failed(&format!("{verb}: command not found"))),
        }
    }

    fn server_named(&self, options: &[&str]) -> Result<Arc<VirtualIoServer>, String> {
        let (name, id) = (option(options, "-p"), option(options, "--id"));
        let fits = |vios: &&Arc<VirtualIoServer>| match (name, id) {
            (Some(name), _) => vios.partition.name == name,
            (None, Some(id)) => vios.partition.id.to_string() == id,
            (None, None) => false,
        };
        let fitting: Vec<&Arc<VirtualIoServer>> = self.vioses.values().filter(fits).collect();
        let system = option(options, "-m").and_then(|name| self.system_named(name));
        let own = fitting
            .iter()
            .find(|vios| Some(vios.partition.system) == system);
        let found = own.or(fitting.first()).map(|vios| Arc::clone(vios));
        found
            .ok_or_else(|| "HSCL8012 The partition was not found on the managed system.".to_owned())
    }

    /// A system by its name or by `<type>-<model>*<serial>`.
    fn system_named(&self, name: &str) -> Option<Uuid> {
        let mut systems = self.systems.values();
        let found =
            systems.find(|system| system.name == name || system.machine.to_string() == name);
        found.map(|system| system.uuid)
    }

    /// `lssyscfg -r sys` and `lssyscfg -r lpar -m <system>`, with `-F` for the attributes to print.
    fn list_configuration(&self, options: &[&str]) -> Output {
        let rows: Vec<Vec<(&str, String)>> = match option(options, "-r") {
            Some("sys") => self
                .systems
                .values()
                .map(|system| {
                    vec![
                        ("name", system.name.clone()),
                        (
                            "type_model",
                            format!("{}-{}", system.machine.machine_type, system.machine.model),
                        ),
                        ("serial_num", system.machine.serial.clone()),
                        ("ipaddr", system.ip_address.clone()),
                        ("state", "Operating".to_owned()),
                    ]
                })
                .collect(),
            Some("lpar") => {
                let system = option(options, "-m").and_then(|name| self.system_named(name));
                let system = system.ok_or("HSCL8018 The managed system was not found.")?;
                self.all_partitions_of(system)
                    .map(|partition| {
                        vec![
                            ("name", partition.name.clone()),
                            ("lpar_id", partition.id.to_string()),
                            ("lpar_env", environment(partition.kind).to_owned()),
                            ("state", title_case(partition.state.as_str())),
                            ("os_version", partition.os_version.clone()),
                            ("rmc_state", partition.rmc.as_str().to_owned()),
                            (
                                "rmc_ipaddr",
                                partition.rmc_address.clone().unwrap_or_default(),
                            ),
                        ]
                    })
                    .collect()
            }
            _ => return Err("HSCL8003 The value of the parameter -r is not valid.".to_owned()),
        };
        print(&rows, option(options, "-F"))
    }
}

/// All attributes as `name=value`, or the values of those asked for, a line a row.
fn print(rows: &[Vec<(&str, String)>], wanted: Option<&str>) -> Output {
    if rows.is_empty() {
        return Ok("No results were found.\n".to_owned());
    }
    let mut text = String::new();
    for row in rows {
        let cells: Vec<String> = match wanted {
            None => row
                .iter()
                .map(|(name, value)| format!("{name}={value}"))
                .collect(),
            Some(names) => names
                .split([',', ':'])
                .map(|name| {
                    let cell = row.iter().find(|(own, _)| *own == name);
                    cell.map(|(_, value)| value.clone()).ok_or_else(|| {
                        let shown: String = name.chars().take(40).collect();
                        format!("HSCL8006 The attribute {shown} is not valid.")
                    })
                })
                .collect::<Result<_, String>>()?,
        };
        text.push_str(&cells.join(","));
        text.push('\n');
    }
    Ok(text)
}

const fn environment(kind: crate::model::names::PartitionKind) -> &'static str {
    use crate::model::names::PartitionKind;
    match kind {
        PartitionKind::AixLinux => "aixlinux",
        PartitionKind::IbmI => "os400",
        PartitionKind::VirtualIoServer => "vioserver",
    }
}

/// `not activated` is `Not Activated` on the command line.
fn title_case(text: &str) -> String {
    let words = text.split(' ').map(|word| {
        let mut letters = word.chars();
        let first = letters.next().map(|letter| letter.to_ascii_uppercase());
        first.into_iter().chain(letters).collect::<String>()
    });
    words.collect::<Vec<_>>().join(" ")
}

/// `lsdev -dev <device> [-attr <attribute>]` and `lsdev -type disk`, as far as clients use them.
fn list_devices(server: &VirtualIoServer, options: &[&str]) -> Output {
    let device = option(options, "-dev");
    let disks = server
        .physical_volumes
        .iter()
        .filter(|disk| device.is_none_or(|device| disk.name == device));
    match (device, option(options, "-attr")) {
        (Some("proc0"), Some("frequency")) => Ok(format!("value\n\n{FREQUENCY}\n")),
        (Some(device), Some(attribute)) => {
            let disk = server
                .physical_volume(device)
                .ok_or_else(|| no_device(device))?;
            let value = match attribute {
                "reserve_policy" if disk.reserve_policy.as_str() == "NoReserve" => "no_reserve",
                "reserve_policy" => "single_path",
                "unique_id" => disk.unique_id.as_str(),
                _ => {
                    return Err(format!(
                        "lsdev: there is no attribute {attribute} of {device}."
                    ));
                }
            };
            Ok(format!("value\n\n{value}\n"))
        }
        _ => {
            let lines: String = disks
                .map(|disk| format!("{:<16}Available   {}\n", disk.name, disk.description))
                .collect();
            match device {
                Some(device) if lines.is_empty() => Err(no_device(device)),
                _ => Ok(format!("name            status      description\n{lines}")),
            }
        }
    }
}

fn no_device(device: &str) -> String {
    format!(
        "Some error messages may contain invalid information for the Virtual I/O Server environment.\n\nlsdev: device {device} is not in the device configuration database."
    )
}

/// `lspv`: name, identifier, volume group and state of each disk.
fn list_volumes(server: &VirtualIoServer) -> String {
    let header = format!("{:<17}{:<33}{:<17}STATUS\n", "NAME", "PVID", "VG");
    let lines = server.physical_volumes.iter().map(|disk| {
        let group = match disk.usage {
            VolumeUsage::VolumeGroup(group) => {
                server.volume_group(group).map(|group| group.name.as_str())
            }
            VolumeUsage::Pool(_) | VolumeUsage::Repository(_) => Some("caavg_private"),
            VolumeUsage::Paging | VolumeUsage::Unused => None,
        };
        let state = if group.is_some() { "active" } else { "" };
        format!(
            "{:<17}{:<33}{:<17}{state}\n",
            disk.name,
            "none",
            group.unwrap_or("None")
        )
    });
    std::iter::once(header).chain(lines).collect()
}

fn option<'a>(options: &[&'a str], flag: &str) -> Option<&'a str> {
    let at = options.iter().position(|word| *word == flag)?;
    options.get(at + 1).copied()
}

/// The words of a command line; quotation marks of either kind hold words together.
fn words(line: &str) -> Vec<String> {
    let (mut words, mut word, mut quote, mut begun) = (Vec::new(), String::new(), None, false);
    for letter in line.chars() {
        match (quote, letter) {
            (None, '"' | '\'') => (quote, begun) = (Some(letter), true),
            (Some(mark), letter) if mark == letter => quote = None,
            (None, letter) if letter.is_whitespace() => {
                if begun {
                    words.push(std::mem::take(&mut word));
                }
                begun = false;
            }
            (_, letter) => {
                word.push(letter);
                begun = true;
            }
        }
        if words.len() >= WORDS {
            return words;
        }
    }
    if begun {
        words.push(word);
    }
    words
}

#[cfg(test)]
mod tests {
    use super::{title_case, words};

    #[test]
    fn quotation_marks_hold_words_together() {
        assert_eq!(
            words(
                "viosvrcmd -m \"8284-22A*21FD4AV\" --id 8 -c \"lsdev -dev proc0 -attr frequency\""
            ),
            [
                "viosvrcmd",
                "-m",
                "8284-22A*21FD4AV",
                "--id",
                "8",
                "-c",
                "lsdev -dev proc0 -attr frequency"
            ]
        );
        assert_eq!(words(" a '' \"b c"), ["a", "", "b c"]);
        assert!(words("").is_empty());
        assert_eq!(title_case("not activated"), "Not Activated");
    }
}
