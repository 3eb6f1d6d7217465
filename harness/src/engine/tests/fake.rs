//! A host in a few lines, to see what the engine makes of hosts that behave and hosts that do not.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::future::BoxFuture;
use tokio_util::sync::CancellationToken;

use crate::audit::{Inventory, ItemKind};
use crate::image::Image;
use crate::scenario::{Capability, Deed, RefusalKind};
use crate::survey::Survey;
use crate::target::{
    Capacity, Content, Description, Failure, Host, Instance, Meter, Opening, Order, PhaseWatch,
    ServerView, Target, TargetError, Task, Traffic, Usage,
};

/// What the fake host does wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Flaw {
    None,
    /// Deletes leave a mapping.
    LeaksMappings,
    /// Refused deploys leave a logical unit.
    LeaksOnRefusal,
    /// The disks hold something else.
    WrongContent,
    /// Nobody can look at the disks.
    BlindContent,
    /// Powering off does nothing.
    IgnoresStop,
    /// Another size does nothing.
    IgnoresResize,
}

#[derive(Debug)]
pub(super) struct FakeTarget {
    pub(super) flaw: Flaw,
    pub(super) capabilities: BTreeSet<Capability>,
}

impl FakeTarget {
    pub(super) fn new(flaw: Flaw) -> Self {
        Self {
            flaw,
            capabilities: Capability::ALL.into_iter().collect(),
        }
    }
}

impl Target for FakeTarget {
    fn describe(&self) -> Description {
        Description {
            name: "fake".to_owned(),
            flavor: "novalink".to_owned(),
            weather: "typical".to_owned(),
            virtual_clock: true,
        }
    }

    fn capabilities(&self) -> BTreeSet<Capability> {
        self.capabilities.clone()
    }

    fn survey(&self) -> BoxFuture<'_, Result<Survey, TargetError>> {
        Box::pin(async { Ok(Survey::default()) })
    }

    fn open<'a>(&'a self, _: Opening<'a>) -> BoxFuture<'a, Result<Box<dyn Host>, TargetError>> {
        let host = FakeHost {
            flaw: self.flaw,
            books: Arc::default(),
            meter: Meter::default(),
        };
        Box::pin(async move { Ok(Box::new(host) as Box<dyn Host>) })
    }
}

#[derive(Debug, Default)]
struct Books {
    servers: BTreeMap<String, (ServerView, Image)>,
    litter: Vec<(ItemKind, String)>,
}

struct FakeHost {
    flaw: Flaw,
    books: Arc<Mutex<Books>>,
    meter: Meter,
}

const TOTAL_MB: u64 = 8192;

impl FakeHost {
    async fn wait(&self, seconds: u64, cancel: &CancellationToken) -> Result<(), Failure> {
        self.meter.request("GET", "/rest/api/uom/LogicalPartition");
        tokio::select! {
            () = tokio::time::sleep(Duration::from_secs(seconds)) => Ok(()),
            () = cancel.cancelled() => Err(failure(RefusalKind::Cancelled, "cancelled")),
        }
    }

    fn free(&self) -> u64 {
        let books = self.books.lock().expect("books");
        TOTAL_MB
            - books
                .servers
                .values()
                .map(|(view, _)| view.memory_mb.unwrap_or_default())
                .sum::<u64>()
    }

    fn state(&self, name: &str, state: &str) -> Result<(), Failure> {
        let mut books = self.books.lock().expect("books");
        let (view, _) = books
            .servers
            .get_mut(name)
            .ok_or_else(|| failure(RefusalKind::NotFound, name))?;
        view.state = state.to_owned();
        Ok(())
    }
}

fn failure(kind: RefusalKind, message: &str) -> Failure {
    Failure {
        kind,
        message: message.to_owned(),
    }
}

impl Host for FakeHost {
    fn create<'a>(
        &'a self,
        order: &'a Order,
        watch: PhaseWatch,
        cancel: &'a CancellationToken,
    ) -> BoxFuture<'a, Result<ServerView, Failure>> {
        Box::pin(async move {
            watch("partition", None);
            let waited = self.wait(10, cancel).await;
            watch("partition", Some(waited.is_ok()));
            waited?;
            let refused = if self.free() < order.size.memory_mb {
                Some(failure(RefusalKind::NoMemory, "Insufficient memory"))
            } else if self
                .books
                .lock()
                .expect("books")
                .servers
                .contains_key(&order.instance.name)
            {
                Some(failure(RefusalKind::NameInUse, "there is one of that name"))
            } else {
                None
            };
            let mut books = self.books.lock().expect("books");
            if let Some(refused) = refused {
                if self.flaw == Flaw::LeaksOnRefusal {
                    books.litter.push((
                        ItemKind::LogicalUnit,
                        format!("boot_{}", order.instance.server),
                    ));
                }
                return Err(refused);
            }
            let view = ServerView {
                name: order.instance.name.clone(),
                state: "running".to_owned(),
                vcpus: Some(order.size.vcpus),
                memory_mb: Some(order.size.memory_mb),
                host: 1,
                ..ServerView::default()
            };
            books.servers.insert(
                view.name.clone(),
                (view.clone(), order.image.clone().expect("an image")),
            );
            Ok(view)
        })
    }

    fn show<'a>(&'a self, instance: &'a Instance) -> BoxFuture<'a, Result<ServerView, Failure>> {
        let found = self
            .books
            .lock()
            .expect("books")
            .servers
            .get(&instance.name)
            .map(|(view, _)| view.clone());
        Box::pin(async move { found.ok_or_else(|| failure(RefusalKind::NotFound, &instance.name)) })
    }

    fn list(&self) -> BoxFuture<'_, Result<Vec<String>, Failure>> {
        let names = self
            .books
            .lock()
            .expect("books")
            .servers
            .keys()
            .cloned()
            .collect();
        Box::pin(async move { Ok(names) })
    }

    fn perform<'a>(
        &'a self,
        task: &'a Task,
        _: PhaseWatch,
        cancel: &'a CancellationToken,
    ) -> BoxFuture<'a, Result<Option<Image>, Failure>> {
        Box::pin(async move {
            self.wait(3, cancel).await?;
            let name = &task.order.instance.name;
            match task.deed {
                Deed::Stop if self.flaw == Flaw::IgnoresStop => {}
                Deed::Stop => self.state(name, "not activated")?,
                Deed::Start | Deed::Reboot(_) => self.state(name, "running")?,
                Deed::Resize(_) if self.flaw != Flaw::IgnoresResize => {
                    let mut books = self.books.lock().expect("books");
                    if let Some((view, _)) = books.servers.get_mut(name) {
                        view.vcpus = Some(task.order.size.vcpus);
                        view.memory_mb = Some(task.order.size.memory_mb);
                    }
                }
                _ => {}
            }
            Ok(None)
        })
    }

    fn put_away(&self) -> BoxFuture<'_, Vec<String>> {
        Box::pin(async { Vec::new() })
    }

    fn usage(&self) -> BoxFuture<'_, Result<Usage, Failure>> {
        let usage = Usage {
            memory_mb: i64::try_from(TOTAL_MB - self.free()).expect("not so much"),
            ..Usage::default()
        };
        Box::pin(async move { Ok(usage) })
    }

    fn delete<'a>(
        &'a self,
        instance: &'a Instance,
        _: PhaseWatch,
        cancel: &'a CancellationToken,
    ) -> BoxFuture<'a, Result<(), Failure>> {
        Box::pin(async move {
            self.wait(5, cancel).await?;
            let mut books = self.books.lock().expect("books");
            books.servers.remove(&instance.name);
            if self.flaw == Flaw::LeaksMappings {
                books
                    .litter
                    .push((ItemKind::Mapping, format!("vhost of {}", instance.server)));
            }
            Ok(())
        })
    }

    fn capacity(&self) -> BoxFuture<'_, Result<Capacity, Failure>> {
        let capacity = Capacity {
            memory_free_mb: self.free(),
            memory_region_mb: 256,
            disk_free_gb: 100,
        };
        Box::pin(async move { Ok(capacity) })
    }

    fn inventory(&self) -> BoxFuture<'_, Result<Vec<Inventory>, Failure>> {
        let mut inventory = Inventory::new("REST".to_owned());
        inventory.measure("free memory, MB", "", self.free());
        let books = self.books.lock().expect("books");
        for name in books.servers.keys() {
            inventory.add(ItemKind::Partition, name, "");
        }
        for (kind, name) in &books.litter {
            inventory.add(*kind, name, "");
        }
        Box::pin(async move { Ok(vec![inventory]) })
    }

    fn content<'a>(&'a self, instance: &'a Instance) -> BoxFuture<'a, Content> {
        let books = self.books.lock().expect("books");
        let stored = books
            .servers
            .get(&instance.name)
            .map(|(_, image)| (image.bytes, image.sha256.clone()));
        let content = match (self.flaw, stored) {
            (Flaw::BlindContent, _) => Content::NotCheckable("nobody can look".to_owned()),
            (Flaw::WrongContent, _) => Content::Sha256 {
                disk: "boot".to_owned(),
                bytes: 1,
                sha256: "0".repeat(64),
            },
            (_, Some((bytes, sha256))) => Content::Sha256 {
                disk: "boot".to_owned(),
                bytes,
                sha256,
            },
            (_, None) => Content::Missing(instance.name.clone()),
        };
        Box::pin(async move { content })
    }

    fn traffic(&self) -> Traffic {
        self.meter.read()
    }

    fn close(&self) -> BoxFuture<'_, ()> {
        Box::pin(async {})
    }
}
