//! What breaks meanwhile: partitions crash, servers lose their connection, answers get lost.

use powervm_simulator::model::job::incident::Incident;
use powervm_simulator::weather::Rule;

use super::hall::Hall;

/// How long a disturbance lasts at most, in simulated minutes.
const LONGEST: u64 = 10;

pub(super) async fn disturb(hall: &Hall) {
    let mut chance = hall.chance("disturber", 0);
    loop {
        hall.pause(chance.between(10, 40)).await;
        if !hall.is_open() {
            return;
        }
        let lasts = Some(60_000 * chance.between(1, LONGEST));
        let world = hall.simulator.world();
        let servers: Vec<_> = world.vioses.keys().copied().collect();
        let running: Vec<_> = world
            .partitions
            .values()
            .filter(|partition| partition.memory.active && partition.name.starts_with("existing-"))
            .map(|partition| partition.uuid)
            .collect();
        let befallen = match chance.between(0, 3) {
            0 => chance
                .of(&servers)
                .map(|server| (*server, Incident::RmcLost)),
            1 => chance
                .of(&running)
                .map(|partition| (*partition, Incident::Down)),
            2 => chance
                .of(&running)
                .map(|partition| (*partition, Incident::RmcLost)),
            _ => {
                // The next change of anything is made, and nobody learns of it.
                let methods = ["POST", "PUT", "DELETE"];
                if let Some(method) = chance.of(&methods) {
                    let rule = Rule::new(method, "/rest/api/uom/*").nth(1).after().reset();
                    let _ = hall.simulator.faults().add(rule);
                }
                None
            }
        };
        if let Some((whom, incident)) = befallen {
            // Who has gone meanwhile is befallen by nothing.
            let _ = hall.simulator.befall(whom, incident, lasts);
        }
    }
}
