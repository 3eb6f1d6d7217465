//! Time goes by.

use super::agenda::Effect;
use super::world::World;
use crate::clock::Millis;

impl World {
    /// Lets everything happen that is due by `now`, in order.
    pub fn advance(&mut self, now: Millis) {
        while let Some((at, effect)) = self.agenda.take(now) {
            self.now = self.now.max(at);
            self.happen(at, effect);
        }
        self.now = self.now.max(now);
        self.forget_old_jobs(now);
    }

    fn happen(&mut self, at: Millis, effect: Effect) {
        match effect {
            Effect::StartJob(job) => self.reach_gate(at, job),
            Effect::FinishJob { job, end } => self.finish_job(at, job, &end),
            Effect::Started {
                owner,
                activation,
                job,
            } => self.started(at, owner, activation, job),
            Effect::Recovered { owner, activation } => self.recovered(at, owner, activation),
            Effect::Booted { owner, activation } => self.booted(at, owner, activation),
            Effect::FellToOpenFirmware { owner, activation } => {
                self.fell_to_open_firmware(at, owner, activation)
            }
            Effect::RmcConnected { owner, activation } => self.rmc_connected(at, owner, activation),
            Effect::Stopped {
                owner,
                activation,
                job,
                request,
            } => self.stopped(at, owner, activation, job, request),
            Effect::MigrationStep { partition, job } => self.step_migration(at, partition, job),
            Effect::AskAgain(errand) => self.ask_again(errand),
            Effect::PlaceLapses { journey } => self.place_lapses(at, journey),
            Effect::ProgressStep {
                partition,
                activation,
                job,
            } => self.step_progress(at, partition, activation, job),
            Effect::EjectMedium { partition, name } => self.eject_medium(at, partition, &name),
        }
    }
}
