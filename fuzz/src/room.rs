//! A small machine room of each flavour: URLs and bodies in, documents out, the world checked after each change.

use std::sync::LazyLock;

use http::Method;
use powervm_schema::atom::Entry;
use powervm_schema::xml::Element;
use powervm_simulator::accept;
use powervm_simulator::clock::Millis;
use powervm_simulator::http::{Base, Problem, Target};
use powervm_simulator::inventory::{Inventory, Sizes};
use powervm_simulator::model::{Flavor, Outcome, World};
use powervm_simulator::render::{Context, Renderer};

/// A world with what is needed to ask it.
pub struct Room {
    world: World,
    renderer: Renderer,
    base: Base,
    names: Vec<(&'static str, String)>,
}

static NOVALINK: LazyLock<Room> = LazyLock::new(|| Room::new(Flavor::NovaLink));
static HMC: LazyLock<Room> = LazyLock::new(|| Room::new(Flavor::Hmc));

/// An hour: whatever a change has set going has ended by then.
const LATER: u64 = 3_600_000;

impl Room {
    /// The room of a flavour.
    pub fn of(flavor: Flavor) -> &'static Self {
        match flavor {
            Flavor::NovaLink => &NOVALINK,
            Flavor::Hmc => &HMC,
        }
    }

    /// Both rooms.
    pub fn both() -> [&'static Self; 2] {
        [Self::of(Flavor::NovaLink), Self::of(Flavor::Hmc)]
    }

    fn new(flavor: Flavor) -> Self {
        let sizes = Sizes {
            partitions: 4,
            ..Sizes::default()
        };
        let world = Inventory::sized(flavor, sizes)
            .world(flavor, 7, Millis::EPOCH)
            .expect("the default inventory makes a world");
        let first = |uuid: Option<&uuid::Uuid>| uuid.map(ToString::to_string).unwrap_or_default();
        let vios = world.vioses.values().next();
        let partition = world
            .partitions
            .values()
            .find(|partition| partition.name == "existing-0001");
        let stopped = world
            .partitions
            .values()
            .find(|partition| partition.name == "existing-0002");
        let names = vec![
            ("$S", first(world.systems.keys().next())),
            ("$V", first(world.vioses.keys().next())),
            ("$T", first(world.tiers.keys().next())),
            ("$O", first(world.pools.keys().next())),
            ("$G", first(vios.and_then(|vios| vios.volume_groups.last()).map(|group| &group.uuid))),
            ("$P", first(partition.map(|partition| &partition.uuid))),
            ("$Q", first(stopped.map(|partition| &partition.uuid))),
            ("$A", first(partition.and_then(|own| own.network_adapters.keys().next()))),
        ];
        Self {
            world,
            renderer: Renderer::default(),
            base: Base::new("http", "localhost:12080"),
            names,
        }
    }

    /// The same text with the room's own identifiers for `$S` (system), `$V` (Virtual I/O Server), `$T` (tier), `$O`
    /// (pool), `$G` (volume group), `$P` (running partition), `$Q` (stopped partition), `$A` (network adapter).
    pub fn named(&self, text: &str) -> String {
        self.names
            .iter()
            .fold(text.to_owned(), |text, (name, id)| text.replace(name, id))
    }

    /// What a URL below `/rest/api/` names.
    ///
    /// # Errors
    /// What the grammar refuses.
    pub fn target(&self, url: &str) -> Result<Target, Problem> {
        let url = format!("/rest/api/{}", self.named(url));
        let (path, query) = match url.split_once('?') {
            Some((path, query)) => (path, Some(query)),
            None => (url.as_str(), None),
        };
        Target::parse(path, query)
    }

    fn context<'a>(&'a self, world: &'a World, target: &'a Target) -> Context<'a> {
        Context {
            world,
            base: &self.base,
            groups: &target.groups,
            detail: target.wants_detail(),
            now: world.now,
        }
    }

    /// A GET of a document: its text, if there is one. It is XML that can be read.
    ///
    /// # Errors
    /// The refusal.
    pub fn read(&self, target: &Target) -> Result<Option<String>, Problem> {
        let cx = self.context(&self.world, target);
        let Some(rendered) = self.renderer.read(&cx, target)? else {
            return Ok(None);
        };
        let text = rendered.body.to_string();
        Element::parse(text.as_bytes()).expect("an answer is well-formed");
        Ok(Some(text))
    }

    /// A GET of quick properties: JSON.
    ///
    /// # Errors
    /// The refusal.
    pub fn quick(&self, target: &Target) -> Result<(), Problem> {
        let text = self.renderer.quick(&self.context(&self.world, target), target)?;
        serde_json::from_str::<serde_json::Value>(&text).expect("quick properties are JSON");
        Ok(())
    }

    /// The own element of the entry at a URL.
    pub fn own_element(&self, url: &str) -> Element {
        let target = self.target(url).expect("a URL of ours");
        let text = self.read(&target).expect("it is there").expect("it is not empty");
        Entry::parse(text.as_bytes()).expect("an entry").content
    }

    /// A change on a copy of the world. Whether it is accepted or refused, the world holds together afterwards, and
    /// what was written can be read.
    pub fn change(&self, method: &Method, url: &str, body: &[u8]) {
        let Ok(target) = self.target(url) else { return };
        let Ok(request) = accept::request(method, &target, body) else { return };
        let Ok(command) = request.command(&target, &self.world) else { return };
        let mut world = self.world.clone();
        let applied = world.apply(Millis::EPOCH.plus(1), command);
        if applied.is_err() {
            return;
        }
        holds_together(&world);
        if let Ok(Outcome::Written(resource)) = &applied {
            let renderer = Renderer::default();
            if let Ok(written) = renderer.written(&self.context(&world, &target), &target, resource) {
                Element::parse(written.body.to_string().as_bytes()).expect("an answer is well-formed");
            }
        }
        world.advance(Millis::EPOCH.plus(LATER));
        holds_together(&world);
    }
}

fn holds_together(world: &World) {
    let violations = world.violations();
    assert!(violations.is_empty(), "{violations:?}");
}
