//! A simulator in this process, on a clock that the harness owns.

pub mod books;
mod devices;

use std::collections::BTreeSet;
use std::sync::Arc;

use futures_util::future::BoxFuture;
use powervm_driver::config::Config;
use powervm_driver::rest::{Credentials, Endpoint, ServiceTransport, Session, SessionOptions};
use powervm_simulator::Simulator;
use powervm_simulator::weather::Weather;

use crate::audit::Inventory;
use crate::scenario::{Capability, RefusalKind};
use crate::survey::Survey;

pub use devices::SimulatedDevices;

use super::driven::Driven;
use super::look::Look;
use super::metered::MeteredTransport;
use super::{
    CallWatch, Content, Description, Failure, Flavor, Host, Instance, Meter, Opening, Target,
    TargetError,
};

/// Where links of the embedded simulator point; nothing listens there.
const ORIGIN: &str = "http://localhost:12080";

/// The volume group that the default inventory has for boot disks.
const VOLUME_GROUP: &str = "datavg";

/// How the embedded simulator is.
#[derive(Debug, Clone)]
pub struct EmbeddedOptions {
    /// Which product it is.
    pub flavor: Flavor,
    /// Decides identifiers, weather and tokens.
    pub seed: u64,
    /// Its weather.
    pub weather: Weather,
    /// What reports call the weather.
    pub weather_name: String,
    /// Whether every change is checked against the model's invariants.
    pub check_invariants: bool,
}

/// A target that makes a fresh simulator for every scenario.
#[derive(Clone)]
pub struct Embedded {
    options: EmbeddedOptions,
    watch: Option<Arc<dyn CallWatch>>,
}

impl Embedded {
    /// A target with these options.
    #[must_use]
    pub fn new(options: EmbeddedOptions) -> Self {
        Self {
            options,
            watch: None,
        }
    }

    /// Lets somebody see every request of the driver.
    #[must_use]
    pub fn watched_by(self, watch: Arc<dyn CallWatch>) -> Self {
        Self {
            watch: Some(watch),
            ..self
        }
    }

    /// A fresh simulator.
    ///
    /// # Errors
    /// When the inventory makes no world.
    pub fn simulator(&self) -> Result<Simulator, TargetError> {
        Simulator::builder()
            .flavor(self.options.flavor.into())
            .seed(self.options.seed)
            .weather(self.options.weather.clone())
            .check_invariants(self.options.check_invariants)
            .build()
            .map_err(|error| TargetError::Simulator(error.to_string()))
    }

    async fn session(
        &self,
        simulator: &Simulator,
        meter: &Arc<Meter>,
    ) -> powervm_driver::Result<Session> {
        let credentials = simulator.credentials();
        let endpoint = Endpoint::new(ORIGIN)?.credentials(Credentials::Password {
            user: credentials.user.clone(),
            password: credentials.password.clone(),
        });
        let transport = Arc::new(ServiceTransport::new(simulator.router()));
        let transport = Arc::new(MeteredTransport::new(transport, Arc::clone(meter)));
        let observer = Arc::clone(meter);
        let options = SessionOptions {
            seed: self.options.seed,
            observer: Some(observer),
            ..Default::default()
        };
        Session::logon(endpoint, transport, options).await
    }

    async fn host(&self, opening: &Opening<'_>) -> Result<Box<dyn Host>, TargetError> {
        let simulator = self.simulator()?;
        let watch = self.watch.as_ref().map(Arc::clone);
        let watch = watch.map(|watch| watch.of_scenario(opening.scenario));
        let meter = Arc::new(Meter::watched_by(watch));
        let session = self.session(&simulator, &meter).await.map_err(unusable)?;
        let config = Config {
            volume_group_name: VOLUME_GROUP.to_owned(),
            ..Config::default()
        };
        let look = Books { simulator };
        let driven = Driven::connect(session, opening.disk, config, meter, Box::new(look))
            .await
            .map_err(unusable)?;
        Ok(Box::new(driven))
    }
}

fn unusable(error: powervm_driver::Error) -> TargetError {
    TargetError::Simulator(error.to_string())
}

impl Target for Embedded {
    fn describe(&self) -> Description {
        Description {
            name: "embedded".to_owned(),
            flavor: self.options.flavor.name().to_owned(),
            weather: self.options.weather_name.clone(),
            virtual_clock: true,
        }
    }

    fn capabilities(&self) -> BTreeSet<Capability> {
        Capability::ALL.into_iter().collect()
    }

    fn open<'a>(
        &'a self,
        opening: Opening<'a>,
    ) -> BoxFuture<'a, Result<Box<dyn Host>, TargetError>> {
        tracing::debug!(scenario = opening.scenario, disk = %opening.disk, "opening a host");
        Box::pin(async move { self.host(&opening).await })
    }

    fn survey(&self) -> BoxFuture<'_, Result<Survey, TargetError>> {
        Box::pin(async {
            let simulator = self.simulator()?;
            let session = self
                .session(&simulator, &Arc::new(Meter::default()))
                .await
                .map_err(unusable)?;
            Survey::read(&session).await.map_err(unusable)
        })
    }
}

/// Looks into the simulator's world.
struct Books {
    simulator: Simulator,
}

impl Look for Books {
    fn inventories(&self) -> BoxFuture<'_, Result<Vec<Inventory>, Failure>> {
        Box::pin(async {
            let violations = self.simulator.violations();
            if violations.is_empty() {
                return Ok(vec![books::inventory(&self.simulator.world())]);
            }
            let message = format!(
                "the simulator's model contradicts itself: {}",
                violations.join("; ")
            );
            Err(Failure {
                kind: RefusalKind::Other,
                message,
            })
        })
    }

    fn content<'a>(&'a self, instance: &'a Instance, _: &'a [String]) -> BoxFuture<'a, Content> {
        Box::pin(async { books::content(&self.simulator.world(), instance.uuid) })
    }
}
