//! Any endpoint by its URL: an HMC, a NovaLink, a `powervm-sim`.

pub mod admin;

use std::collections::BTreeSet;
use std::sync::Arc;

use futures_util::future::BoxFuture;
use powervm_driver::config::Config;
use powervm_driver::rest::{Endpoint, HttpTransport, Session, SessionOptions};

use crate::audit::Inventory;
use crate::scenario::Capability;
use crate::survey::Survey;

use self::admin::Admin;
use super::driven::{Driven, Setup};
use super::look::{Blind, Look};
use super::metered::MeteredTransport;
use super::{
    CallWatch, Content, Description, Failure, Flavor, Host, Instance, Meter, Opening, Target,
    TargetError, VolumeSource,
};

/// How an endpoint is reached and driven.
pub struct RemoteOptions {
    /// The endpoint with its credentials.
    pub endpoint: Endpoint,
    /// The driver's configuration; the scenario decides where boot disks go.
    pub config: Option<Config>,
    /// The admin API of a `powervm-sim`.
    pub admin: Option<Admin>,
    /// Where volumes come from.
    pub volumes: VolumeSource,
    /// Whether this is the management partition of the host, where disks of servers can be read.
    pub captures: bool,
    /// Another host that shares pool and storage.
    pub second: Option<SecondHost>,
    /// Seeds pauses between retries.
    pub seed: u64,
}

/// The other of two hosts.
#[derive(Debug, Clone)]
pub struct SecondHost {
    /// Its endpoint; none for another system of the first one's console.
    pub endpoint: Option<Endpoint>,
    /// The name of its system; empty where its console has but one.
    pub system: String,
}

/// A target behind a URL.
pub struct Remote {
    endpoint: Endpoint,
    config: Config,
    admin: Option<Arc<Admin>>,
    volumes: VolumeSource,
    second: Option<SecondHost>,
    seed: u64,
    flavor: Flavor,
    capabilities: BTreeSet<Capability>,
    watch: Option<Arc<dyn CallWatch>>,
}

impl Remote {
    /// Logs on once, to learn what the endpoint is and has.
    ///
    /// # Errors
    /// [`TargetError::Endpoint`] when it cannot be reached, refuses the logon, or manages no usable system.
    pub async fn connect(options: RemoteOptions) -> Result<Self, TargetError> {
        let RemoteOptions {
            endpoint,
            config,
            admin,
            volumes,
            second,
            captures,
            seed,
        } = options;
        let mut remote = Self {
            endpoint,
            config: config.unwrap_or_default(),
            admin: admin.map(Arc::new),
            volumes,
            second,
            seed,
            flavor: Flavor::NovaLink,
            capabilities: BTreeSet::new(),
            watch: None,
        };
        let session = remote
            .session(&remote.endpoint, &Arc::new(Meter::default()))
            .await?;
        remote.flavor = session.flavor().into();
        let found = super::capabilities::of(&session, &remote.config).await;
        remote.capabilities = found.map_err(|error| remote.unusable(&error))?;
        if !matches!(remote.volumes, VolumeSource::None) {
            remote.capabilities.insert(Capability::Volumes);
        }
        if remote.second.is_some() {
            remote.capabilities.insert(Capability::TwoHosts);
        }
        if captures {
            remote.capabilities.insert(Capability::Capture);
        }
        // Whether the logoff is heard is of no consequence: the session expires.
        let _ = session.logoff().await;
        Ok(remote)
    }

    /// Lets somebody see every request that scenarios bring about.
    #[must_use]
    pub fn watched_by(self, watch: Arc<dyn CallWatch>) -> Self {
        Self {
            watch: Some(watch),
            ..self
        }
    }

    async fn session(
        &self,
        endpoint: &Endpoint,
        meter: &Arc<Meter>,
    ) -> Result<Session, TargetError> {
        let transport = HttpTransport::new(endpoint).map_err(|error| self.unusable(&error))?;
        let transport = Arc::new(MeteredTransport::new(
            Arc::new(transport),
            Arc::clone(meter),
        ));
        let options = SessionOptions {
            seed: self.seed,
            observer: Some(Arc::clone(meter) as _),
            ..Default::default()
        };
        Session::logon(endpoint.clone(), transport, options)
            .await
            .map_err(|error| self.unusable(&error))
    }

    async fn host(&self, opening: &Opening<'_>) -> Result<Box<dyn Host>, TargetError> {
        let watch = self.watch.as_ref().map(Arc::clone);
        let watch = watch.map(|watch| watch.of_scenario(opening.scenario));
        let meter = Arc::new(Meter::watched_by(watch));
        let first = self.session(&self.endpoint, &meter).await?;
        let config = self.config.clone();
        let mut setup = Setup {
            disk: opening.disk,
            sessions: vec![first.clone()],
            systems: vec![config.managed_system.clone()],
            addresses: vec![host(&self.endpoint)],
            config,
            meter: Arc::clone(&meter),
            look: match &self.admin {
                Some(admin) => Box::new(Shared(Arc::clone(admin))),
                None => Box::new(Blind),
            },
            volumes: self.volumes.clone(),
        };
        if let Some(second) = self.second.as_ref().filter(|_| opening.two_hosts) {
            setup.sessions.push(match &second.endpoint {
                None => first,
                Some(endpoint) => self.session(endpoint, &meter).await?,
            });
            let endpoint = second.endpoint.as_ref().unwrap_or(&self.endpoint);
            setup.addresses.push(host(endpoint));
            setup.systems.push(second.system.clone());
        }
        let driven = Driven::connect(setup)
            .await
            .map_err(|error| self.unusable(&error))?;
        Ok(Box::new(driven))
    }

    fn unusable(&self, error: &powervm_driver::Error) -> TargetError {
        TargetError::Endpoint {
            endpoint: self.endpoint.origin(),
            problem: error.to_string(),
        }
    }
}

impl Target for Remote {
    fn describe(&self) -> Description {
        Description {
            name: self.endpoint.origin(),
            flavor: self.flavor.name().to_owned(),
            weather: String::new(),
            virtual_clock: false,
        }
    }

    fn capabilities(&self) -> BTreeSet<Capability> {
        self.capabilities.clone()
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
            let session = self
                .session(&self.endpoint, &Arc::new(Meter::default()))
                .await?;
            let survey = Survey::read(&session)
                .await
                .map_err(|error| self.unusable(&error));
            // Whether the logoff is heard is of no consequence: the session expires.
            let _ = session.logoff().await;
            survey
        })
    }
}

/// Name or address of an endpoint.
fn host(endpoint: &Endpoint) -> String {
    let origin = endpoint.origin();
    let authority = origin.rsplit("//").next().unwrap_or_default();
    let host = authority
        .rsplit_once(':')
        .map_or(authority, |(host, _)| host);
    host.trim_matches(['[', ']']).to_owned()
}

/// One admin API for every host of the target.
struct Shared(Arc<Admin>);

impl Look for Shared {
    fn inventories(&self) -> BoxFuture<'_, Result<Vec<Inventory>, Failure>> {
        self.0.inventories()
    }

    fn content<'a>(
        &'a self,
        instance: &'a Instance,
        disks: &'a [String],
    ) -> BoxFuture<'a, Content> {
        self.0.content(instance, disks)
    }
}
